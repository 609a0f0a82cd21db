import { JackstayError } from '@jackstay/contract/errors'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { find } from '@jackstay/kube/find'
import { Command } from 'commander'
import { labNamespace } from '../kubernetes/node/declared.ts'
import { imagesConfigMap } from '../world/images.ts'
import { incidentNamed, incidents } from './catalogue.ts'
import { isSoAlready, make, missingOf } from './changes.ts'
import type { Incident } from './incident.ts'

// What `jackstay lab …` starts (ADR 27). It answers with one JSON text, errors too.

const deadlineMs = 60_000
const command = new Command('lab-incidents').exitOverride()
const flags = (of: Command) => of.option('--kubeconfig <file>').option('--context <name>')
command.command('incidents').action(() => answer({ incidents: incidents.map(told) }))
flags(command.command('break <name>')).action((name: string, options: Cluster) =>
  change(name, options, 'fault'),
)
flags(command.command('heal <name>')).action((name: string, options: Cluster) =>
  change(name, options, 'heal'),
)

interface Cluster {
  readonly kubeconfig?: string
  readonly context?: string
}

function answer(value: unknown): void {
  process.stdout.write(JSON.stringify(value))
}

function told({
  name,
  kind,
  title,
  breaks,
  goodAnswer,
  dangerousAnswer,
  onlyInLab,
  alert,
}: Incident) {
  return {
    ...{ name, kind, title, breaks, goodAnswer, dangerousAnswer },
    ...{ onlyInLab: onlyInLab === true, alert },
  }
}

async function change(name: string, options: Cluster, what: 'fault' | 'heal'): Promise<void> {
  const incident = incidentNamed(name)
  if (incident === undefined) {
    const known = incidents.map((one) => one.name).join(', ')
    throw new JackstayError('not_found', `there is no incident \`${name}\`; there are ${known}`)
  }
  const client = connect(loadConfig(configOf(options), process.env), { userAgent: 'jackstay-lab' })
  try {
    const missing = [...(await missingWorld(client)), ...(await missingOf(client, incident))]
    if (missing.length > 0) {
      throw new JackstayError(
        'not_found',
        `this cluster is not the lab’s world, it has no ${missing.join(', ')}: start it with \`npm start\` and set KUBECONFIG as it says`,
      )
    }
    const signal = AbortSignal.timeout(deadlineMs)
    const already = await isSoAlready(client, incident[what], signal)
    if (!already) await make(client, incident[what], signal)
    answer({ incident: told(incident), already })
  } finally {
    await client.close()
  }
}

/** `npm start` prints whose kubeconfig breaks things in its lab: not that of whoever approves. */
function configOf({ kubeconfig = process.env.JACKSTAY_LAB_KUBECONFIG, context }: Cluster): Cluster {
  return {
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
  }
}

/** Objects of the same names may be somebody's: only the lab declares how images behave. */
async function missingWorld(client: KubeClient): Promise<readonly string[]> {
  const ref = { apiVersion: 'v1', resource: 'configmaps', namespace: labNamespace }
  const found = await find(client, { ...ref, name: imagesConfigMap })
  return found === undefined ? [`ConfigMap ${labNamespace}/${imagesConfigMap}`] : []
}

try {
  await command.parseAsync()
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof JackstayError ? error.code : 'internal'
  answer({ error: { code, message } })
  process.exitCode = 1
}
