import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAlertmanager } from '@jackstay/cluster/alertmanager'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import type { KubeClient } from '@jackstay/kube/client'
import type { KubeObject, ResourceRef } from '@jackstay/kube/resources'
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
import { applyObjects, type InstallOptions, installJackstay } from './install/install.ts'
import type { Program } from './program.ts'
import { run } from './shell.ts'

/** Everything that runs while the story is told. */
export interface Stage {
  readonly install: InstallOptions
  readonly kubectlFolder: string | undefined
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
  const { client } = install
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
  const { kubectlFolder } = ground
  return {
    ...{ install, kubectlFolder, plane, alerts, operatorIs, operatorKubeconfig },
    ...{ agentEvents, signal, jackstay },
  }
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
  const { namespace, name, replicas } = workload
  const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace, name }
  await untilHolds(install, ref, (found) => Object(found.status).availableReplicas === replicas)
}

async function grantClass(install: InstallOptions, jackstay: Stage['jackstay']): Promise<void> {
  await applyObjects(install, classManifests())
  const ref = { apiVersion: groupVersion, resource: agentClass.plural, name: agent.class }
  await untilHolds(install, ref, (found) => Object(found.status).specHash !== undefined)
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

const patienceMs = 120_000
const pauseMs = 100

async function untilHolds(
  { client, signal }: InstallOptions,
  ref: ResourceRef,
  holds: (found: KubeObject) => boolean,
): Promise<void> {
  const until = performance.now() + patienceMs
  while (!holds(await client.get(ref, { signal }))) {
    if (performance.now() > until) {
      throw new Error(`${ref.resource} ${ref.name} is not ready after ${patienceMs / 1000} s`)
    }
    await sleep(pauseMs, undefined, { signal })
  }
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
