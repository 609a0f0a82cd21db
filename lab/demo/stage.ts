import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asIfByNpx } from '@jackstay/cli/called-as'
import { startAlertmanager } from '@jackstay/cluster/alertmanager'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import type { KubeObject, ResourceRef } from '@jackstay/kube/resources'
import { startRunbookAgent, startSidecar } from '../agent.ts'
import { type AgentPodOptions, createAgentPod } from '../agent-pod.ts'
import { AgentTalk } from '../agent-talk.ts'
import { type ControlPlane, startControlPlane } from '../control-plane.ts'
import { applyObjects, type InstallOptions, installJackstay } from '../install/install.ts'
import { holds, textAt } from '../kubernetes/resources/columns.ts'
import { programOf } from '../programs.ts'
import { run } from '../shell.ts'
import { type Alerts, postedAlerts } from './alerts.ts'
import type { AgentRole, Cast } from './cast.ts'
import type { Backstage, Ground } from './ground.ts'

/** Everything that runs while the story is told. */
export interface Stage {
  readonly ground: Ground
  readonly plane: ControlPlane
  readonly alerts: Alerts
  /** Kubeconfig of the demo operator. */
  readonly operatorKubeconfig: string
  /** What all agents say. */
  readonly talk: AgentTalk
  readonly signal: AbortSignal
  /** The CLI as the demo operator. */
  jackstay(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>
}

type CleanUp = (() => Promise<void>)[]

/** Control plane, agents and alerts on a cluster; `cleanUp` undoes what was done. */
export async function setStage(
  backstage: Backstage,
  ground: Ground,
  cleanUp: CleanUp,
): Promise<Stage> {
  const { narrator, signal } = backstage
  const { install, cast } = ground
  await narrator.step('Jackstay’s kinds, roles and admission policies', () =>
    installJackstay(install),
  )
  const starting = startPlane(backstage, ground, cleanUp)
  await narrator.step(`workloads: ${cast.ready.join(', ')}`, () => deploy(install, cast))
  narrator.chapter('The control plane, and agents without any cluster credential')
  const plane = await narrator.step('mediator, registrar and read tool', () => starting)
  const operatorKubeconfig = await ground.operatorKubeconfig()
  const { main, nodeFlags } = programOf('jackstay')
  const jackstay: Stage['jackstay'] = (args) =>
    run(process.execPath, [...nodeFlags, main, ...args], {
      signal,
      env: {
        ...{ KUBECONFIG: operatorKubeconfig, JACKSTAY_SERVER: plane.mediatorUrl, NO_COLOR: '1' },
        ...asIfByNpx,
      },
    })
  const talk = new AgentTalk()
  const classes = cast.agents.map((role) => `\`${role.class}\``).join(', ')
  await narrator.step(`granted by the demo operator: ${classes}`, () =>
    Promise.all(cast.agents.map((role) => granted(install, jackstay, role))),
  )
  await narrator.step('for each class an agent, and the sidecar that signs for it', () =>
    Promise.all(
      cast.agents.map(async (role) => {
        const host = { ...hostOf(backstage, ground), plane }
        cleanUp.push(await startAgent(role, host, (line) => talk.push(line)))
      }),
    ),
  )
  const alerts = await startAlerts(backstage, ground, plane)
  cleanUp.push(() => alerts.stop())
  return { ground, plane, alerts, operatorKubeconfig, talk, signal, jackstay }
}

function hostOf({ narrator, signal }: Backstage, { install, directory }: Ground) {
  const onError = (error: unknown) => narrator.say(`a token was not renewed: ${error}`)
  return { client: install.client, directory, signal, onError }
}

/** Goes on beside other steps: whoever needs it waits for it. */
function startPlane(backstage: Backstage, ground: Ground, cleanUp: CleanUp): Promise<ControlPlane> {
  const writeKubeconfig: Ground['writeKubeconfig'] = (options) => ground.writeKubeconfig(options)
  const starting = startControlPlane({ ...hostOf(backstage, ground), writeKubeconfig })
  const orNone = starting.catch(() => undefined)
  cleanUp.push(async () => (await orNone)?.stop())
  return starting
}

async function startAlerts(
  { narrator, signal }: Backstage,
  { alerts, directory }: Ground,
  { mediatorUrl, alertToken }: ControlPlane,
): Promise<Alerts> {
  const webhookUrl = `${mediatorUrl}/v1/alerts/alertmanager`
  if (alerts === 'alertmanager') {
    return narrator.step('a real Alertmanager', () =>
      startAlertmanager({
        directory: join(directory, 'alertmanager'),
        bearerToken: alertToken,
        ...{ webhookUrl, signal },
      }),
    )
  }
  return postedAlerts(webhookUrl, alertToken)
}

async function deploy(install: InstallOptions, cast: Cast): Promise<void> {
  await applyObjects(install, [...cast.workloads, ...cast.governance])
  for (const one of cast.ready) {
    const [namespace = '', name = ''] = one.split('/')
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace, name }
    await untilHolds(install, ref, ({ spec, status }) => {
      const { replicas = 1 } = Object(spec)
      return replicas === 0 || Object(status).availableReplicas === replicas
    })
  }
}

/** Safe to repeat: a class that is granted stays so. */
async function granted(
  install: InstallOptions,
  jackstay: Stage['jackstay'],
  { class: name, reason }: AgentRole,
): Promise<void> {
  const ref = { apiVersion: groupVersion, resource: agentClass.plural, name }
  const found = await untilHolds(install, ref, (one) => textAt(one, 'status.specHash') !== '')
  if (holds(found, 'Granted')) return
  const answer = await jackstay(['approve', `agentclass/${name}`, '--yes', '--reason', reason])
  if (answer.code !== 0) throw new Error(`the class was not granted: ${answer.stderr}`)
}

const patienceMs = 120_000
const pauseMs = 100

async function untilHolds(
  { client, signal }: InstallOptions,
  ref: ResourceRef,
  isSo: (found: KubeObject) => boolean,
): Promise<KubeObject> {
  const until = performance.now() + patienceMs
  for (;;) {
    const found = await client.get(ref, { signal })
    if (isSo(found)) return found
    if (performance.now() > until) {
      throw new Error(`${ref.resource} ${ref.name} is not ready after ${patienceMs / 1000} s`)
    }
    await sleep(pauseMs, undefined, { signal })
  }
}

interface AgentHost extends Omit<AgentPodOptions, 'namespace' | 'serviceAccount' | 'name'> {
  readonly plane: ControlPlane
}

/** @returns what stops both again */
async function startAgent(
  role: AgentRole,
  host: AgentHost,
  onLine: (line: string) => void,
): Promise<() => Promise<void>> {
  const { plane, directory, signal } = host
  const { namespace, serviceAccount, pod: name } = role
  const pod = await createAgentPod({ ...host, namespace, serviceAccount, name })
  const sidecar = await startSidecar(pod, plane, directory, signal)
  try {
    const program = await startRunbookAgent(sidecar, plane.logs, signal, onLine)
    return async () => {
      await program.stop()
      await sidecar.stop()
    }
  } catch (error) {
    await sidecar.stop()
    throw error
  }
}
