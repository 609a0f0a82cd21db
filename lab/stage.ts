import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Alertmanager, startAlertmanager } from '@jackstay/cluster/alertmanager'
import { type Cluster, up } from '@jackstay/cluster/cluster'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { type Sidecar, startRunbookAgent, startSidecar } from './agent.ts'
import { AgentEvents } from './agent-events.ts'
import { createAgentPod } from './agent-pod.ts'
import { classObjects } from './class-objects.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import {
  agent,
  governanceObjects,
  operator,
  operatorBindings,
  workload,
  workloadObjects,
} from './demo-objects.ts'
import { applyObjects, type InstallOptions, installJackstay } from './install.ts'
import type { Narrator } from './narrator.ts'
import type { Program } from './program.ts'
import { demand, run } from './shell.ts'

/** Everything that runs while the story is told. */
export interface Stage {
  readonly cluster: Cluster
  readonly install: InstallOptions
  readonly plane: ControlPlane
  readonly alertmanager: Alertmanager
  /** Kubeconfig of the demo operator. */
  readonly operatorKubeconfig: string
  readonly agentEvents: AgentEvents
  readonly signal: AbortSignal
  /** The CLI as the demo operator. */
  jackstay(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>
}

const cliMain = new URL('../interfaces/cli/main.ts', import.meta.url).pathname

/** Cluster, control plane, agent and Alertmanager, one after another; `cleanUp` undoes what was done. */
export async function setStage(
  directory: string,
  narrator: Narrator,
  signal: AbortSignal,
  cleanUp: (() => Promise<void>)[],
): Promise<Stage> {
  narrator.chapter('1. A cluster of its own')
  const cluster = await narrator.step('a real Kubernetes with one node', (progress) =>
    up({ name: `demo-${randomBytes(2).toString('hex')}`, mode: 'node', signal }, ({ step }) =>
      progress(step),
    ),
  )
  cleanUp.push(() => cluster.down())
  const { kubectl, kubeconfig } = cluster
  const install = { kubectl, kubeconfig, signal }
  const client = connect(loadConfig({ kubeconfig }), { userAgent: 'jackstay-demo' })
  cleanUp.push(() => client.close())
  await narrator.step('Jackstay’s kinds, roles and admission policies', () =>
    installJackstay(install),
  )
  await narrator.step(`a workload: Deployment ${workload.namespace}/${workload.name}`, () =>
    deployWorkload(install),
  )
  narrator.chapter('2. The control plane and an agent without any cluster credential')
  const onError = (error: unknown) => narrator.say(`a token was not renewed: ${error}`)
  const host = { client, directory, signal, onError, writeKubeconfig: cluster.writeKubeconfig }
  const plane = await narrator.step('mediator, registrar and read tool', () =>
    startControlPlane(host),
  )
  cleanUp.push(() => plane.stop())
  const operatorKubeconfig = await cluster.issueKubeconfig({
    name: operator.user,
    user: operator.user,
    groups: [operator.group],
  })
  const jackstay: Stage['jackstay'] = (args) =>
    run(process.execPath, [cliMain, ...args], {
      signal,
      env: { KUBECONFIG: operatorKubeconfig, JACKSTAY_SERVER: plane.mediatorUrl, NO_COLOR: '1' },
    })
  await narrator.step(`the class \`${agent.class}\`, granted by the demo operator`, () =>
    grantClass(install, jackstay),
  )
  const agentEvents = new AgentEvents()
  const { sidecar, program } = await narrator.step('sidecar and runbook agent', () =>
    startAgent(client, plane, directory, signal, agentEvents),
  )
  cleanUp.push(async () => {
    await program.stop()
    await sidecar.stop()
  })
  const alertmanager = await narrator.step('a real Alertmanager', () =>
    startAlertmanager({
      directory: join(directory, 'alertmanager'),
      webhookUrl: `${plane.mediatorUrl}/v1/alerts/alertmanager`,
      bearerToken: plane.alertToken,
      signal,
    }),
  )
  cleanUp.push(() => alertmanager.stop())
  return {
    cluster,
    install,
    plane,
    alertmanager,
    operatorKubeconfig,
    agentEvents,
    signal,
    jackstay,
  }
}

async function deployWorkload(install: InstallOptions): Promise<void> {
  await applyObjects(install, [...workloadObjects(), ...operatorBindings()])
  const { namespace, name } = workload
  await demand(
    install.kubectl,
    ['-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=120s'],
    { signal: install.signal, env: { KUBECONFIG: install.kubeconfig }, timeoutMs: 130_000 },
  )
}

async function grantClass(install: InstallOptions, jackstay: Stage['jackstay']): Promise<void> {
  await applyObjects(install, [
    ...classObjects({
      class: agent.class,
      namespace: agent.namespace,
      agentServiceAccount: agent.serviceAccount,
      actions: ['workload.scale'],
      targets: [workload.namespace],
    }),
    ...governanceObjects(),
  ])
  await demand(
    install.kubectl,
    ['wait', '--for=jsonpath={.status.specHash}', '--timeout=30s', `agentclass/${agent.class}`],
    { signal: install.signal, env: { KUBECONFIG: install.kubeconfig } },
  )
  const reason = 'reviewed: scales web in shop, people approve every change'
  const granted = await jackstay([
    'approve',
    `agentclass/${agent.class}`,
    '--yes',
    '--reason',
    reason,
  ])
  if (granted.code !== 0) throw new Error(`the class was not granted: ${granted.stderr}`)
}

async function startAgent(
  client: KubeClient,
  plane: ControlPlane,
  directory: string,
  signal: AbortSignal,
  events: AgentEvents,
): Promise<{ sidecar: Sidecar; program: Program }> {
  const pod = await createAgentPod({
    ...{ client, directory, signal },
    namespace: agent.namespace,
    serviceAccount: agent.serviceAccount,
    name: agent.pod,
    onError: () => undefined,
  })
  const sidecar = await startSidecar(pod, plane, directory, signal)
  const program = await startRunbookAgent(sidecar, plane.logs, signal, (line) => events.push(line))
  return { sidecar, program }
}
