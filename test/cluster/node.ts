import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { apiRequest, createObject } from './api-request.ts'
import { type NodeTools, nodeTools } from './debian.ts'
import { startDns } from './dns.ts'
import { controlGroup } from './end.ts'
import { goProgram } from './go-program.ts'
import * as recipes from './go-recipes.ts'
import type { Layout } from './layout.ts'
import { layoutOf } from './layout.ts'
import { makeNamespaces } from './namespaces.ts'
import { cniConfig, containerdConfig, kubeletConfig, proxyConfig } from './node-config.ts'
import { outcomeOf, run } from './process.ts'
import { enterPrefix, programEnvironment, startProgram, waitUntil } from './program.ts'
import { inStep, type OnProgress } from './progress.ts'
import { type Start, startControlPlane } from './start.ts'
import type { ClusterState } from './state.ts'
import { testImages } from './test-images.ts'

/** What a node needs besides the control plane. */
export type NodePrograms = {
  readonly kubelet: string
  readonly proxy: string
  readonly coredns: string
  readonly pause: string
  readonly images: string
  readonly tools: NodeTools
}

const SOCKET = '/run/containerd/containerd.sock'
const READY_MS = 120_000

export async function prepareNode(
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<NodePrograms> {
  const kubernetes = dirname(await goProgram(recipes.kubernetes, onProgress, signal))
  const coredns = await goProgram(recipes.coredns, onProgress, signal)
  const pause = await goProgram(recipes.pause, onProgress, signal)
  return {
    kubelet: join(kubernetes, 'kubelet'),
    proxy: join(kubernetes, 'kube-proxy'),
    coredns,
    pause,
    tools: await nodeTools(onProgress, signal),
    images: await testImages(pause, onProgress, signal),
  }
}

/** Starts a whole cluster in namespaces of its own, until its node is ready and names resolve. */
export async function startNode(
  reserved: ClusterState,
  programs: NodePrograms,
  start: Start,
): Promise<Layout> {
  const { onProgress, signal } = start
  const { tools, pause } = programs
  const means = { pause, ctr: tools.ctr, environment: tools.environment }
  const state = await inStep(onProgress, 'making namespaces', () => makeNamespaces(reserved, means))
  const layout = layoutOf(state)
  // images are loaded while the API server starts: neither needs the other
  const [images] = await Promise.all([
    startContainerd(state, layout, programs, start),
    startControlPlane(state, start),
  ])
  await inStep(onProgress, 'starting the node', async () => {
    await startKubelet(state, layout, programs)
    await startProxy(layout, programs)
    await startDns(layout, programs.coredns)
    const what = `the node \`${layout.nodeName}\` is ready`
    await waitUntil({ name: layout.name, what, withinMs: READY_MS, signal }, () => isReady(layout))
  })
  await images
  return layout
}

async function startContainerd(
  state: ClusterState,
  layout: Layout,
  { tools, images }: NodePrograms,
  { onProgress, signal }: Start,
): Promise<void> {
  const { name, directory } = layout
  await mkdir(join(directory, 'log'), { recursive: true })
  await mkdir(join(directory, 'cni'), { recursive: true })
  await writeFile(join(directory, 'cni', '10-bridge.conflist'), cniConfig())
  const config = join(directory, 'containerd.toml')
  await writeFile(config, containerdConfig(directory, SOCKET, tools))
  await inStep(onProgress, 'loading images', async () => {
    startProgram(name, 'containerd', [tools.containerd, '--config', config])
    const version = [...enterPrefix(state), tools.ctr, '--address', SOCKET, 'version']
    const env = programEnvironment(state)
    const what = 'containerd answers'
    await waitUntil(
      { name, what, withinMs: READY_MS, signal },
      async () => (await outcomeOf(version, { env })).code === 0,
    )
    await importImage(state, images)
  })
}

/** Loads every image of an OCI archive. */
export async function importImage(state: ClusterState, archive: string): Promise<void> {
  if (state.node === undefined) {
    throw new Error(
      `the cluster \`${state.name}\` has no node to load images into, bring it up with mode \`node\``,
    )
  }
  const ctr = [state.node.ctr, '--address', SOCKET, '--namespace', 'k8s.io']
  const command = [...enterPrefix(state), ...ctr, 'images', 'import', archive]
  await run(command, { env: programEnvironment(state) })
}

async function startKubelet(
  state: ClusterState,
  layout: Layout,
  { kubelet }: NodePrograms,
): Promise<void> {
  const { name, directory, nodeName, apiAddress, kubeconfigOf } = layout
  // Pods get the cluster's names only: there is no way out of it
  await writeFile(join(directory, 'resolv.conf'), 'nameserver 127.0.0.1\n')
  const config = join(directory, 'kubelet.yaml')
  await writeFile(config, kubeletConfig(layout, controlGroup(state), SOCKET))
  startProgram(name, 'kubelet', [
    kubelet,
    `--config=${config}`,
    `--kubeconfig=${kubeconfigOf('kubelet')}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${apiAddress}`,
  ])
}

async function startProxy(layout: Layout, { proxy }: NodePrograms): Promise<void> {
  const config = join(layout.directory, 'kube-proxy.yaml')
  await writeFile(config, proxyConfig(layout))
  await createObject(layout, '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'jackstay-node-proxier' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:node-proxier',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-proxy' }],
  })
  startProgram(layout.name, 'kube-proxy', [proxy, `--config=${config}`])
}

const nodeStatus = z.object({
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
  }),
})

async function isReady(layout: Layout): Promise<boolean> {
  const answer = await apiRequest(layout, `/api/v1/nodes/${layout.nodeName}`)
  if (answer?.status !== 200) return false
  const { conditions = [] } = nodeStatus.parse(JSON.parse(answer.body)).status
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}
