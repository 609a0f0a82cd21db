import { until } from '@jackstay/e2e/attempt'
import type { LineWorld } from '@jackstay/e2e/line-world'
import type { KubeClient } from '@jackstay/kube/client'
import { inParallel } from './cpu.ts'
import { kwokNode, withKwok } from './kwok.ts'

const namespace = 'bench-pods'
const pods = { apiVersion: 'v1', resource: 'pods' }
const nodes = { apiVersion: 'v1', resource: 'nodes' }
/** What many clusters run on a node at most is 110. */
const perNode = 50
const width = 16
const patienceMs = 20 * 60_000

export interface KwokPods {
  readonly nodes: number
  /** The oldest Pod is deleted, another one comes: at least four changes, each Pod ends and runs. */
  replaceOne(): Promise<void>
}

/**
 * Uses so many running Pods on Nodes whose kubelets kwok plays: Leases are renewed, Nodes report,
 * Pods begin and end. They are bound by their makers: a scheduler would be measured along.
 */
export async function withKwokPods<T>(
  world: LineWorld,
  count: number,
  use: (pods: KwokPods) => Promise<T>,
): Promise<T> {
  const { admin } = world
  const nodeNames = Array.from({ length: Math.ceil(count / perNode) }, (_, n) => `bench-node-${n}`)
  const create = async (n: number) => {
    const node = nodeNames[n % nodeNames.length] ?? ''
    demand(await admin.create(pods, namespace, podOf(`web-${n}`, node)))
  }
  return withKwok(world, async () => {
    try {
      await prepare(admin, nodeNames)
      const all = Array.from({ length: count }, (_, n) => n)
      await inParallel(all, width, create)
      await until('all Pods run', () => allRun(admin), patienceMs)
      let oldest = 0
      const replaceOne = async () => {
        const n = oldest++
        demand(await admin.delete({ ...pods, namespace, name: `web-${n}` }))
        await create(n + count)
      }
      return await use({ nodes: nodeNames.length, replaceOne })
    } finally {
      await clear(admin, nodeNames)
    }
  })
}

async function prepare(admin: KubeClient, nodeNames: readonly string[]): Promise<void> {
  const kind = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  demand(await admin.create({ apiVersion: 'v1', resource: 'namespaces' }, undefined, kind))
  // what Pods run as until somebody says otherwise; Kubernetes makes it a moment later
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  }
  await admin.create({ apiVersion: 'v1', resource: 'serviceaccounts' }, namespace, account)
  await inParallel(nodeNames, width, async (name) => {
    const metadata = { name, labels: { ...kwokNode, 'kubernetes.io/hostname': name } }
    demand(await admin.create(nodes, undefined, { apiVersion: 'v1', kind: 'Node', metadata }))
  })
}

function podOf(name: string, nodeName: string) {
  const env = Array.from({ length: 12 }, (_, n) => ({
    name: `SETTING_${n}`,
    value: `what somebody set for ${n}`,
  }))
  const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } }
  const container = (of: string) => ({
    name: of,
    image: 'example.com/shop/web:1.2.3',
    env,
    resources,
  })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'web', 'app.kubernetes.io/part-of': 'shop' } },
    spec: {
      nodeName,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [container('web'), container('proxy')],
    },
  }
}

async function allRun(admin: KubeClient): Promise<boolean> {
  const options = { namespace, fieldSelector: 'status.phase!=Running', limit: 1 }
  return (await admin.list(pods, options)).items.length === 0
}

/** Only where the cluster is somebody's: ours goes with all that is in it. */
async function clear(admin: KubeClient, nodeNames: readonly string[]): Promise<void> {
  if (process.env.JACKSTAY_E2E_CLUSTER === undefined) return
  const path = `/api/v1/namespaces/${namespace}/pods`
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 }
  const remove = async () => {
    // so many take longer than a request may: what is left is asked for again
    await admin.request({ method: 'DELETE', path, timeoutMs: 120_000, body }).catch(() => undefined)
    return (await admin.list(pods, { namespace, limit: 1 })).items.length === 0
  }
  await until('all Pods are gone', remove, patienceMs)
  await admin.delete({ apiVersion: 'v1', resource: 'namespaces', name: namespace })
  await inParallel(nodeNames, width, async (name) => {
    await admin.delete({ ...nodes, name })
  })
}

function demand(result: { readonly kind: string }): void {
  if (result.kind !== 'applied') throw new Error(`refused: ${JSON.stringify(result)}`)
}
