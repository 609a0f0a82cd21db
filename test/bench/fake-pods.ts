import type { LineWorld } from '@jackstay/e2e/line-world'
import type { KubeClient } from '@jackstay/kube/client'
import { inParallel } from './cpu.ts'

const namespace = 'bench-pods'
const pods = { apiVersion: 'v1', resource: 'pods' }
const nodes = { apiVersion: 'v1', resource: 'nodes' }
const perNode = 250
const leaseMs = 10_000

export interface FakePods {
  readonly names: readonly string[]
  /** Another status for one of them, as a kubelet reports it. */
  touch(name: string, at: number): Promise<void>
}

/**
 * Uses so many Pods that say they run, on Nodes that say they live. No kubelet is behind them; to
 * whoever watches Pods they are as large and as many as real ones.
 */
export async function withFakePods<T>(
  { admin }: LineWorld,
  count: number,
  use: (pods: FakePods) => Promise<T>,
): Promise<T> {
  const nodeNames = Array.from({ length: Math.ceil(count / perNode) }, (_, n) => `bench-node-${n}`)
  const names = Array.from({ length: count }, (_, n) => `web-${n}`)
  demand(await admin.create({ apiVersion: 'v1', resource: 'namespaces' }, undefined, nameOnly))
  // what Pods run as until somebody says otherwise; Kubernetes makes it a moment later
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  }
  await admin.create({ apiVersion: 'v1', resource: 'serviceaccounts' }, namespace, account)
  // without a Lease that is renewed, Pods of a Node are marked and evicted
  const renewal = setInterval(() => void renewLeases(admin, nodeNames), leaseMs)
  try {
    for (const name of nodeNames) await addNode(admin, name)
    await renewLeases(admin, nodeNames)
    await inParallel(names, 16, async (name) => {
      const n = Number(name.slice('web-'.length))
      demand(
        await admin.create(pods, namespace, podOf(name, nodeNames[n % nodeNames.length] ?? '')),
      )
      await report(admin, name, statusOf(n, 0))
    })
    return await use({
      names,
      touch: (name, at) => report(admin, name, statusOf(Number(name.slice('web-'.length)), at)),
    })
  } finally {
    clearInterval(renewal)
    await clear(admin, nodeNames)
  }
}

const nameOnly = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }

async function addNode(admin: KubeClient, name: string): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } }
  demand(await admin.create(nodes, undefined, node))
  const ready = { type: 'Ready', status: 'True', reason: 'Bench', message: 'says so' }
  const status = { conditions: [ready], capacity: { pods: '1000', cpu: '100', memory: '1000Gi' } }
  demand(await admin.mergePatch({ ...nodes, name }, { status }, { subresource: 'status' }))
}

async function renewLeases(admin: KubeClient, names: readonly string[]): Promise<void> {
  const leases = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases' }
  const at = 'kube-node-lease'
  // Kubernetes wants six digits
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  for (const name of names) {
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime }
    const patched = await admin.mergePatch({ ...leases, namespace: at, name }, { spec })
    if (patched.kind === 'applied') continue
    const lease = {
      apiVersion: leases.apiVersion,
      kind: 'Lease',
      metadata: { name, namespace: at },
    }
    await admin.create(leases, at, { ...lease, spec })
  }
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

function statusOf(n: number, at: number) {
  const since = '2026-01-01T00:00:00Z'
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    ...{ type, status: 'True', lastTransitionTime: since },
  }))
  const containerStatuses = ['web', 'proxy'].map((name) => ({
    ...{ name, image: 'example.com/shop/web:1.2.3', imageID: `sha256:${'0'.repeat(64)}` },
    ...{ ready: true, restartCount: at, started: true, state: { running: { startedAt: since } } },
  }))
  const podIP = `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
  return { phase: 'Running', conditions, containerStatuses, podIP, startTime: since }
}

async function report(admin: KubeClient, name: string, status: object): Promise<void> {
  const ref = { ...pods, namespace, name }
  const body = JSON.parse(JSON.stringify({ status }))
  demand(await admin.mergePatch(ref, body, { subresource: 'status' }))
}

/** No kubelet confirms that they ended. */
async function clear(admin: KubeClient, nodeNames: readonly string[]): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  await admin.request({
    ...{ method: 'DELETE', path, timeoutMs: 120_000 },
    body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
  })
  await admin.delete({ apiVersion: 'v1', resource: 'namespaces', name: namespace })
  for (const name of nodeNames) await admin.delete({ ...nodes, name })
}

function demand(result: { readonly kind: string }): void {
  if (result.kind !== 'applied') throw new Error(`refused: ${JSON.stringify(result)}`)
}
