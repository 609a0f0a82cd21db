import { join } from 'node:path'
import { startAlertmanager } from '@jackstay/cluster/alertmanager'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { type Sidecar, startRunbookAgent, startSidecar } from './agent.ts'
import { AgentEvents } from './agent-events.ts'
import { createAgentPod } from './agent-pod.ts'
import { type Alerts, postedAlerts } from './alerts.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import {
  agent,
  type Container,
  classManifests,
  operatorBindings,
  workload,
  workloadObjects,
} from './demo-objects.ts'
import type { Backstage, Ground } from './ground.ts'
import { applyObjects, type InstallOptions, installJackstay } from './install.ts'
import type { Program } from './program.ts'
import { demand, run } from './shell.ts'

/** Everything that runs while the story is told. */
export interface Stage {
  readonly install: InstallOptions
  readonly plane: ControlPlane
  readonly alerts: Alerts
  /** Who the demo operator is to the API server, in words. */
  readonly operatorIs: string
  /** Kubeconfig of the demo operator. */
  readonly operatorKubeconfig: string
  readonly agentEvents: AgentEvents
  readonly signal: AbortSignal
  /** The CLI as the demo operator. */
  jackstay(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>
}

const cliMain = new URL('../interfaces/cli/main.ts', import.meta.url).pathname

/** Control plane, agent and alerts on a cluster, one after another; `cleanUp` undoes what was done. */
export async function setStage(
  { directory, narrator, signal }: Backstage,
  ground: Ground,
  cleanUp: (() => Promise<void>)[],
): Promise<Stage> {
  const { install, operatorIs } = ground
  const config = loadConfig({ kubeconfig: install.kubeconfig })
  const client = connect(config, { userAgent: 'jackstay-demo' })
  cleanUp.push(() => client.close())
  await narrator.step('Jackstay’s kinds, roles and admission policies', () =>
    installJackstay(install),
  )
  await narrator.step(`a workload: Deployment ${workload.namespace}/${workload.name}`, () =>
    deployWorkload(install, ground.container),
  )
  narrator.chapter('2. The control plane and an agent without any cluster credential')
  const onError = (error: unknown) => narrator.say(`a token was not renewed: ${error}`)
  const { writeKubeconfig } = ground
  const plane = await narrator.step('mediator, registrar and read tool', () =>
    startControlPlane({ client, directory, signal, onError, writeKubeconfig }),
  )
  cleanUp.push(() => plane.stop())
  const operatorKubeconfig = await ground.operatorKubeconfig()
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
  const alerts = await startAlerts({ directory, narrator, signal }, ground, plane)
  cleanUp.push(() => alerts.stop())
  return { install, plane, alerts, operatorIs, operatorKubeconfig, agentEvents, signal, jackstay }
}

async function startAlerts(
  { directory, narrator, signal }: Backstage,
  { alertmanager }: Ground,
  { mediatorUrl, alertToken }: ControlPlane,
): Promise<Alerts> {
  const webhookUrl = `${mediatorUrl}/v1/alerts/alertmanager`
  if (!alertmanager) return postedAlerts(webhookUrl, alertToken)
  return narrator.step('a real Alertmanager', () =>
    startAlertmanager({
      directory: join(directory, 'alertmanager'),
      bearerToken: alertToken,
      ...{ webhookUrl, signal },
    }),
  )
}

async function deployWorkload(install: InstallOptions, container: Container): Promise<void> {
  await applyObjects(install, [...workloadObjects(container), ...operatorBindings()])
  const { namespace, name } = workload
  await demand(
    install.kubectl,
    ['-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=120s'],
    { signal: install.signal, env: { KUBECONFIG: install.kubeconfig }, timeoutMs: 130_000 },
  )
}

async function grantClass(install: InstallOptions, jackstay: Stage['jackstay']): Promise<void> {
  await applyObjects(install, classManifests())
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
