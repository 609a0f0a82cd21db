import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { saysYes } from '@jackstay/cli/confirm'
import { processTerminal } from '@jackstay/cli/terminal'
import type { KubeClient } from '@jackstay/kube/client'
import { adminOf } from '../../admin.ts'
import { ClusterObjects } from '../../install/cluster-objects.ts'
import { chart } from '../../install/install.ts'
import { type Manifest, manifest, manifestsIn, nameOf } from '../../install/manifests.ts'
import { oncall } from '../../world/people.ts'
import type { Cast } from '../cast.ts'
import { smallCast } from '../demo-objects.ts'
import type { Backstage, Ground } from '../ground.ts'
import { NotHere } from '../not-here.ts'
import { scaledToZero } from '../scaled-to-zero.ts'
import { Created } from './created.ts'
import { readContext } from './kubeconfig.ts'
import { removeCreated } from './removal.ts'
import { checkCluster } from './suitability.ts'

export interface GivenOptions {
  readonly kubeconfig: string
  readonly context?: string | undefined
  /** Of the workload; else one that its nodes have. */
  readonly image?: string | undefined
  /** Nobody is asked. */
  readonly yes: boolean
}

/**
 * Somebody's own cluster. Says what would be made in it, asks, and keeps book of what was made, so that
 * exactly that can be taken away at the end.
 * @throws NotHere
 */
export async function givenCluster(options: GivenOptions, stage: Backstage): Promise<Ground> {
  const { directory, narrator, signal } = stage
  const context = await contextOf(options.kubeconfig, options.context)
  narrator.chapter(`Your cluster: ${context.name}, ${context.server}`)
  const client = adminOf(await context.write(join(directory, 'admin.kubeconfig')))
  try {
    const image = await checkCluster(client, options.image)
    const cast = smallCast({ image })
    const wanted = everything(cast)
    await assertNothingThere(client, wanted)
    narrator.say('What Jackstay would make here, and take away again at the end:')
    for (const line of listOf(wanted)) narrator.say(line)
    if (!options.yes) await agreed(signal)
    const created = new Created(join(directory, 'created.jsonl'))
    created.intend(wanted)
    narrator.say(`should this be killed, ${created.path} names what has to go:`)
    narrator.say(`npm start -- --kubeconfig ${options.kubeconfig} --remove ${created.path}`)
    const clear = async () => {
      await removeCreated(client, created)
      await client.close()
    }
    return {
      ...{ cast, scene: scaledToZero, tries: [], directory, alerts: 'posted' as const, clear },
      operatorIs: 'whom your kubeconfig impersonates',
      install: { client, signal, onApplied: (objects) => created.add(objects) },
      writeKubeconfig: ({ path, tokenFile }) => context.writeForToken(path, tokenFile),
      operatorKubeconfig: () =>
        context.write(join(directory, 'operator.kubeconfig'), {
          user: oncall.user,
          groups: [oncall.group],
        }),
    }
  } catch (error) {
    await client.close()
    throw error
  }
}

/** Ends what an earlier demo left that was killed. @throws NotHere */
export async function removeLeft(
  { kubeconfig, context: wanted }: Pick<GivenOptions, 'kubeconfig' | 'context'>,
  journal: string,
  { directory, narrator }: Backstage,
): Promise<void> {
  const context = await contextOf(kubeconfig, wanted)
  if (!existsSync(journal)) throw new NotHere(`there is no file \`${journal}\`; correct --remove`)
  const client = adminOf(await context.write(join(directory, 'admin.kubeconfig')))
  try {
    await narrator.step(`removing what ${journal} names from ${context.server}`, () =>
      removeCreated(client, new Created(journal)),
    )
  } finally {
    await client.close()
  }
}

async function contextOf(kubeconfig: string, wanted: string | undefined) {
  return readContext(kubeconfig, wanted).catch((error: unknown) => {
    throw new NotHere(error instanceof Error ? error.message : String(error))
  })
}

function everything({ workloads, governance }: Cast): readonly Manifest[] {
  const ours = [...workloads, ...governance].map((one) => manifest.parse(one))
  return [...manifestsIn(chart), ...ours]
}

/** What stands there already belongs to somebody: it would be neither changed nor left alone. */
async function assertNothingThere(client: KubeClient, wanted: readonly Manifest[]): Promise<void> {
  const objects = new ClusterObjects(client)
  const there: string[] = []
  for (const one of wanted) {
    if ((await objects.find(one)) !== undefined) there.push(nameOf(one))
  }
  if (there.length === 0) return
  const [some, more] = [there.slice(0, 8).join(', '), there.length > 8 ? ' and more' : '']
  throw new NotHere(
    `these exist already and may be somebody’s: ${some}${more}; remove them, or name another cluster. Nothing was made`,
  )
}

/** Every object that belongs to no namespace, by kind; then the namespaces and what is in them. */
function listOf(wanted: readonly Manifest[]): string[] {
  const outside = wanted.filter(({ metadata }) => metadata.namespace === undefined)
  const inside = wanted.filter(({ metadata }) => metadata.namespace !== undefined)
  const names = (of: readonly Manifest[]) => [...new Set(of.map((one) => one.metadata.name))]
  const byKind = Map.groupBy(outside, ({ kind }) => kind)
  return [
    ...[...byKind].map(([kind, of]) => `${kind} (${names(of).length}): ${names(of).join(', ')}`),
    `and, for a second, a ValidatingAdmissionPolicy jackstay-canary-… with its binding`,
    `inside namespaces (${new Set(inside.map(nameOf)).size}), and in no other: ${[...new Set(inside.map(({ metadata }) => metadata.namespace))].join(', ')}`,
    `you would act as \`${oncall.user}\` in the group \`${oncall.group}\`, by impersonation, to approve`,
  ]
}

async function agreed(signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new NotHere('nobody is there to ask; add --yes if you agree. Nothing was made')
  }
  if (await saysYes(processTerminal(signal), '  make all of this in your cluster?')) return
  throw new NotHere('you said no. Nothing was made')
}
