import type { KubeClient } from '@jackstay/kube/client'
import { kubernetesVersion } from '../api/discovery.ts'
import { type RunController, runController } from '../controllers/controller.ts'
import { SharedCaches } from '../controllers/shared-caches.ts'
import { timestamp } from '../timestamp.ts'
import type { Behaviours } from './behaviour.ts'
import { kubelet } from './kubelet.ts'
import { scheduler } from './scheduler.ts'

export interface RunNodes extends RunController {
  readonly names: readonly string[]
  /** By image; without it what ConfigMaps of the namespace `jackstay-lab` declare. */
  readonly behaviours?: Behaviours
}

/** Registers nodes and runs what is put on them, until the signal aborts. */
export async function runNodes(options: RunNodes): Promise<void> {
  const { client, names, behaviours, now, seed } = options
  for (const [i, name] of names.entries()) await register(client, name, i, now())
  const caches = options.caches ?? new SharedCaches(client, options.onError)
  const all = { ...options, caches }
  const own = names.map((node) => {
    const onError = (error: unknown) => options.onError(error, node)
    return runController(kubelet({ node, behaviours, onError }), all)
  })
  await Promise.all([runController(scheduler(seed), all), ...own])
  if (options.caches === undefined) caches.stop()
}

const nodes = { apiVersion: 'v1', kind: 'Node', resource: 'nodes' }
const room = { cpu: '4', memory: '8Gi', pods: '110' }

async function register(client: KubeClient, name: string, i: number, now: number): Promise<void> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' }
  const spec = { podCIDR: `10.${244 + i}.0.0/16` }
  const object = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec }
  const made = await client.create(nodes, undefined, object)
  // one that was there before a restart stays as it is, cordoned or not
  if (made.kind === 'refused') throw new Error(made.message)
  if (made.kind !== 'applied') return
  const time = timestamp(now)
  const nodeInfo = { kubeletVersion: kubernetesVersion.gitVersion, osImage: 'Jackstay lab' }
  const addresses = [
    { type: 'InternalIP', address: `192.168.0.${10 + i}` },
    { type: 'Hostname', address: name },
  ]
  const conditions = conditionsAt(time)
  const status = { capacity: room, allocatable: room, conditions, addresses, nodeInfo }
  await client.mergePatch({ ...nodes, name }, { status }, { subresource: 'status' })
}

/** As a kubelet tells them that has nothing to complain of. */
function conditionsAt(time: string): readonly object[] {
  const of = (type: string, status: string, reason: string, message: string) => ({
    ...{ type, status, reason, message, lastHeartbeatTime: time, lastTransitionTime: time },
  })
  return [
    of('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory'),
    of('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    of('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    of('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
  ]
}
