import type { KubeClient } from '@jackstay/kube/client'
import { kubernetesVersion } from '../api/discovery.ts'
import { type RunController, runController } from '../controllers/controller.ts'
import { timestamp } from '../timestamp.ts'
import type { Behaviours } from './behaviour.ts'
import { kubelet } from './kubelet.ts'
import { scheduler } from './scheduler.ts'

export interface RunNodes extends RunController {
  readonly names: readonly string[]
  readonly behaviours: Behaviours
}

/** Registers nodes and runs what is put on them, until the signal aborts. */
export async function runNodes(options: RunNodes): Promise<void> {
  const { client, names, behaviours, now } = options
  for (const name of names) await register(client, name, now())
  await Promise.all([
    runController(scheduler(), options),
    ...names.map((name) => runController(kubelet(name, behaviours), options)),
  ])
}

const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
const room = { cpu: '4', memory: '8Gi', pods: '110' }

async function register(client: KubeClient, name: string, now: number): Promise<void> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' }
  const object = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }
  const made = await client.create(nodes, undefined, object)
  // one that was there before a restart stays as it is, cordoned or not
  if (made.kind === 'refused') throw new Error(made.message)
  const time = timestamp(now)
  const ready = {
    ...{ type: 'Ready', status: 'True', reason: 'KubeletReady' },
    ...{ message: 'the lab runs this node', lastHeartbeatTime: time, lastTransitionTime: time },
  }
  const nodeInfo = { kubeletVersion: kubernetesVersion.gitVersion, osImage: 'Jackstay lab' }
  const status = { capacity: room, allocatable: room, conditions: [ready], nodeInfo }
  await client.mergePatch({ ...nodes, name }, { status }, { subresource: 'status' })
}
