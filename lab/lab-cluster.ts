import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeKubeconfigFile } from '@jackstay/cluster/kubeconfig'
import type { KubeClient } from '@jackstay/kube/client'
import { adminOf } from './admin.ts'
import { runControllers } from './kubernetes/controllers/all.ts'
import { SharedCaches } from './kubernetes/controllers/shared-caches.ts'
import { runNodes } from './kubernetes/node/nodes.ts'
import { startKubernetes } from './kubernetes/start.ts'

export interface LabClusterOptions {
  /** Keys and kubeconfigs, and the objects where `keep` is asked for. */
  readonly directory: string
  /** Whether objects outlast the process. */
  readonly keep?: boolean
  /** Of the API server; 0 takes a free one. */
  readonly port: number
  readonly nodes: readonly string[]
  /** How much faster it lives than the clock goes; 1 unless given. */
  readonly speed?: number | undefined
  /** Makes names and choices the same in every lab of this seed. */
  readonly seed?: string | undefined
  readonly onError: (error: unknown) => void
}

/** The lab's Kubernetes with its controllers and nodes, in this process. */
export interface LabCluster {
  /** As an administrator. */
  readonly client: KubeClient
  /** An administrator's. */
  readonly kubeconfig: string
  /** A kubeconfig whose bearer token is read from a file, again and again. */
  writeKubeconfig(options: { path: string; tokenFile: string }): Promise<string>
  /** A kubeconfig with a client certificate of somebody in these groups. */
  issueKubeconfig(user: string, groups: readonly string[]): Promise<string>
  close(): Promise<void>
}

/** @throws JackstayError `invalid_config` for a port that is taken or a folder that cannot be read */
export async function startLabCluster(options: LabClusterOptions): Promise<LabCluster> {
  const { directory, keep = false, port, nodes, speed, seed: given, onError } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const seed = given === undefined ? {} : { seed: given }
  const kubernetes = await startKubernetes({ directory, keep, port, ...seed, onError })
  const at = { server: kubernetes.url, caPem: kubernetes.authority }
  const kubeconfig = await writeKubeconfigFile(join(directory, 'admin.kubeconfig'), {
    ...{ ...at, user: 'admin', credentials: { certificate: kubernetes.administrator } },
  })
  const client = adminOf(kubeconfig)
  const ended = new AbortController()
  // one watch of each kind for all of them
  const caches = new SharedCaches(client, onError)
  const common = { client, now: Date.now, speed, ...seed, signal: ended.signal, caches, onError }
  const running = Promise.all([runControllers(common), runNodes({ ...common, names: nodes })])
  return {
    ...{ client, kubeconfig },
    writeKubeconfig: ({ path, tokenFile }) =>
      writeKubeconfigFile(path, { ...at, user: 'token', credentials: { tokenFile } }),
    async issueKubeconfig(user, groups) {
      const certificate = await kubernetes.certificateOf(user, groups)
      const path = join(directory, `${user}.kubeconfig`)
      return await writeKubeconfigFile(path, { ...at, user, credentials: { certificate } })
    },
    async close() {
      ended.abort()
      await running
      caches.stop()
      await client.close()
      await kubernetes.close()
    },
  }
}
