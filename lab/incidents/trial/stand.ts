import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentClassSpec } from '@jackstay/contract/kinds/agent-class'
import type { KubeClient } from '@jackstay/kube/client'
import { adminOf } from '../../admin.ts'
import { type Sidecar, startRunbookAgent, startSidecar } from '../../agent.ts'
import { createAgentPod } from '../../agent-pod.ts'
import { AgentTalk } from '../../agent-talk.ts'
import { calmBreakers } from '../../calm-breakers.ts'
import { type ControlPlane, startControlPlane } from '../../control-plane.ts'
import { applyObjects, installJackstay } from '../../install/install.ts'
import { type LabCluster, startLabCluster } from '../../lab-cluster.ts'
import { Alertmanager } from '../../posting-alertmanager.ts'
import type { Program } from '../../program.ts'
import { agentClassOf, type WorldAgent, worldAgents } from '../../world/classes.ts'
import { nodeNames } from '../../world/nodes.ts'
import { oncall } from '../../world/people.ts'
import { governance, worldObjects } from '../../world/world.ts'
import type { Alert } from '../incident.ts'
import { eachStep, joined } from './joined.ts'
import { Oncall } from './oncall.ts'

export interface StandOptions {
  readonly directory: string
  readonly speed: number
  readonly seed: string
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  readonly onProgress: (step: string) => void
}

/** An agent of the world with its sidecar, both processes of their own. */
export interface Desk {
  readonly agent: WorldAgent
  readonly sidecar: Sidecar
  readonly talk: AgentTalk
}

/** The world on the lab's Kubernetes, with the control plane and the agents as they are. */
export interface Stand {
  readonly client: KubeClient
  readonly oncall: Oncall
  readonly alerts: Alertmanager
  readonly desks: readonly Desk[]
  readonly plane: ControlPlane
  close(): Promise<void>
}

/** Wide enough for everything that can go wrong in a few minutes; every limit has tests of its own. */
const limits: AgentClassSpec['limits'] = {
  ...{ intentsPerMinute: 600, pending: 50, concurrent: 10 },
  budgets: [],
  oscillation: { turns: 50, within: '1m' },
}

/** Starts everything. What was started is stopped again where it fails on the way. */
export async function openStand(options: StandOptions): Promise<Stand> {
  const steps: (() => Promise<unknown>)[] = []
  const close = () => eachStep(steps.splice(0).toReversed())
  try {
    return { ...(await open(options, (step) => steps.push(step))), close }
  } catch (error) {
    const [closed] = await Promise.allSettled([close()])
    throw joined(closed.status === 'rejected' ? [error, closed.reason] : [error])
  }
}

/** Keeps a step for the end. */
type Later = (step: () => Promise<unknown>) => void

async function open(options: StandOptions, later: Later): Promise<Omit<Stand, 'close'>> {
  const { directory, speed, seed, signal, onError, onProgress } = options
  onProgress('the lab’s Kubernetes')
  const cluster = await startLabCluster({
    ...{ directory: join(directory, 'kubernetes'), port: 0, nodes: nodeNames },
    ...{ speed, seed, onError },
  })
  later(() => cluster.close())
  const { client } = cluster
  await installJackstay({ client, signal })
  onProgress('the world')
  await applyObjects({ client, signal }, governance)
  await applyObjects({ client, signal }, worldObjects)
  await applyObjects(
    { client, signal },
    worldAgents.map((agent) => agentClassOf(agent, { limits })),
  )
  onProgress('the control plane')
  const plane = await startControlPlane({
    ...{ client, directory, signal, onError },
    writeKubeconfig: (file) => cluster.writeKubeconfig(file),
    mediatorFlags: ['--breakers', await calmBreakers(directory)],
  })
  later(() => plane.stop())
  const person = await personOf(cluster)
  later(() => person.close())
  const people = new Oncall(person, signal)
  await Promise.all(worldAgents.map((agent) => people.grant(agent.class, agent.reason)))
  onProgress('sidecars and agents')
  const desks = await desksOf({ ...options, client, plane }, later)
  const alerts = new Alertmanager(`${plane.mediatorUrl}/v1/alerts/alertmanager`, plane.alertToken)
  return { client, oncall: people, alerts, desks, plane }
}

async function personOf(cluster: LabCluster): Promise<KubeClient> {
  return adminOf(await cluster.issueKubeconfig(oncall.user, [oncall.group]))
}

interface Seat extends Pick<StandOptions, 'directory' | 'signal' | 'onError'> {
  readonly client: KubeClient
  readonly plane: ControlPlane
}

/** Waits for all of them also where one fails: what still starts would be stopped by nobody. */
async function desksOf(seat: Seat, later: Later): Promise<readonly Desk[]> {
  const opened = await Promise.allSettled(worldAgents.map((agent) => openDesk(agent, seat, later)))
  const failures = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failures.length > 0) throw joined(failures)
  return opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

async function openDesk(
  agent: WorldAgent,
  { client, directory, signal, onError, plane }: Seat,
  later: Later,
): Promise<Desk> {
  const { namespace, serviceAccount, pod: name } = agent
  const own = join(directory, agent.class)
  await mkdir(own, { recursive: true, mode: 0o700 })
  const pod = await createAgentPod({
    ...{ client, directory: own, signal, onError, namespace, serviceAccount, name },
  })
  const logs = join(plane.logs, agent.class)
  await mkdir(logs, { recursive: true })
  const sidecar = await startSidecar(pod, { ...plane, logs }, own, signal)
  later(() => sidecar.stop())
  const talk = new AgentTalk()
  const onLine = (line: string) => talk.push(line)
  const flags = ['--cordon-settled-seconds', '0']
  const program: Program = await startRunbookAgent(sidecar, logs, signal, onLine, flags)
  later(() => program.stop())
  return { agent, sidecar, talk }
}

/** The desk that the alert of an incident is for. */
export function deskFor(
  { desks }: Pick<Stand, 'desks'>,
  { alert, name }: { readonly alert: Alert; readonly name: string },
): Desk {
  const { namespace = '' } = alert.labels
  const found = desks.find(({ agent }) => agent.targets.includes(namespace))
  if (found === undefined) throw new TypeError(`no agent is told of \`${name}\``)
  return found
}
