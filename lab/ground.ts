import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { up } from '@jackstay/cluster/cluster'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { type Container, operator } from './demo-objects.ts'
import type { InstallOptions } from './install/install.ts'
import { startLabCluster } from './lab-cluster.ts'
import type { Narrator } from './narrator.ts'

/** The cluster that a demo stands on. */
export interface Ground {
  /** Its client is the demo's only administrator. */
  readonly install: InstallOptions
  /** The folder of a kubectl for it, where there is one that may not be on the PATH. */
  readonly kubectlFolder?: string
  /** What the workload that is broken on purpose runs. */
  readonly container: Container
  /** Whether a real Alertmanager is built and started beside it. */
  readonly alertmanager: boolean
  /** A kubeconfig whose bearer token is read from a file, again and again. */
  writeKubeconfig(options: { path: string; tokenFile: string }): Promise<string>
  /** Who the demo operator is to the API server, in words. */
  readonly operatorIs: string
  /** Of the demo operator, who approves. */
  operatorKubeconfig(): Promise<string>
  /** Nothing of the demo is left afterwards. */
  clear(): Promise<void>
}

export interface LabOptions {
  /** Of its API server; 0 takes a free one. */
  readonly port: number
  /** Where its state lies, to go on with another time; else it ends with the demo. */
  readonly data?: string | undefined
}

/** A Kubernetes inside this process: nothing else is needed, and nothing real runs on it. */
export async function labGround(
  { port, data }: LabOptions,
  { directory, narrator, signal }: Backstage,
): Promise<Ground> {
  narrator.chapter('1. A cluster in this process')
  const cluster = await narrator.step('the lab’s Kubernetes with three nodes', () =>
    startLabCluster({
      directory: join(data ?? directory, 'kubernetes'),
      ...{ keep: data !== undefined, port, nodes: ['node-1', 'node-2', 'node-3'] },
      onError: (error) =>
        narrator.say(`the lab: ${error instanceof Error ? error.message : error}`),
    }),
  )
  return {
    ...{ install: { client: cluster.client, signal }, alertmanager: false },
    container: { image: 'registry.example/web:1' },
    operatorIs: 'a client certificate of the lab',
    writeKubeconfig: (options) => cluster.writeKubeconfig(options),
    operatorKubeconfig: () => cluster.issueKubeconfig(operator.user, [operator.group]),
    clear: () => cluster.close(),
  }
}

/** What a demo works with from its first step on. */
export interface Backstage {
  /** For everything that ends with the demo; its owner removes it. */
  readonly directory: string
  readonly narrator: Narrator
  readonly signal: AbortSignal
}

const installerTimeoutMs = 30_000

/** A client for everything that a demo makes. */
export function adminOf(kubeconfig: string): KubeClient {
  const config = loadConfig({ kubeconfig })
  return connect(config, { userAgent: 'jackstay-demo', timeoutMs: installerTimeoutMs })
}

/** A real Kubernetes with one node, for this demo alone. */
export async function ownCluster({ narrator, signal }: Backstage): Promise<Ground> {
  narrator.chapter('1. A cluster of its own')
  const cluster = await narrator.step('a real Kubernetes with one node', (progress) =>
    up({ name: `demo-${randomBytes(2).toString('hex')}`, mode: 'node', signal }, ({ step }) =>
      progress(step),
    ),
  )
  const client = adminOf(cluster.kubeconfig)
  return {
    install: { client, signal },
    kubectlFolder: dirname(cluster.kubectl),
    container: {
      image: 'jackstay.local/app:1',
      ports: [{ containerPort: 8080 }],
      readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
    },
    alertmanager: true,
    operatorIs: 'a client certificate of this demo cluster',
    writeKubeconfig: (options) => cluster.writeKubeconfig(options),
    operatorKubeconfig: () =>
      cluster.issueKubeconfig({
        name: operator.user,
        user: operator.user,
        groups: [operator.group],
      }),
    clear: async () => {
      await client.close()
      await cluster.down()
    },
  }
}
