import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeKubeconfigFile } from '@jackstay/cluster/kubeconfig'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { runControllers } from './controllers/all.ts'
import { type RunNodes, runNodes } from './node/nodes.ts'
import type { KubeObject } from './objects.ts'
import { type Kubernetes, startKubernetes } from './start.ts'

// For tests: the lab's Kubernetes in a folder of its own, with clients of it.

export class TestKubernetes {
  readonly errors: unknown[] = []
  readonly #clients: KubeClient[] = []
  #directory = ''
  #kubernetes: Kubernetes | undefined
  #admin: KubeClient | undefined

  async start(options: { readonly seed?: string } = {}): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'jackstay-lab-'))
    const onError = (error: unknown) => this.errors.push(error)
    const directory = this.#directory
    this.#kubernetes = await startKubernetes({ ...options, directory, port: 0, onError })
    this.#admin = await this.clientOf('admin', ['system:masters'])
  }

  get admin(): KubeClient {
    if (this.#admin === undefined) throw new TypeError('not started')
    return this.#admin
  }

  async clientOf(user: string, groups: readonly string[]): Promise<KubeClient> {
    if (this.#kubernetes === undefined) throw new TypeError('not started')
    const { url, authority } = this.#kubernetes
    const certificate = await this.#kubernetes.certificateOf(user, groups)
    const kubeconfig = await writeKubeconfigFile(join(this.#directory, `${user}.kubeconfig`), {
      ...{ server: url, caPem: authority, user, credentials: { certificate } },
    })
    const client = connect(loadConfig({ kubeconfig }), { userAgent: 'test/1', timeoutMs: 20_000 })
    this.#clients.push(client)
    return client
  }

  /** Runs controllers and nodes until what it answers is called. */
  run(options: Pick<RunNodes, 'behaviours' | 'names' | 'seed' | 'speed'>): () => Promise<void> {
    const stop = new AbortController()
    const onError = (error: unknown) => this.errors.push(error)
    const all = { ...options, client: this.admin, now: Date.now, signal: stop.signal, onError }
    const running = Promise.all([runControllers(all), runNodes(all)])
    return async () => {
      stop.abort()
      await running
    }
  }

  async namespace(name: string): Promise<void> {
    const body = { metadata: { name } }
    await this.admin.request({ method: 'POST', path: '/api/v1/namespaces', body })
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await client.close()
    await this.#kubernetes?.close()
    await rm(this.#directory, { recursive: true })
  }
}

/** Asks until the answer holds; the test's own time ends it. */
export async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return answer
    await sleep(20)
  }
}

/** A Deployment of one container. */
export function deployment(
  name: string,
  image: string,
  replicas: number,
  container = {},
): KubeObject {
  const labels = { app: name }
  const containers = [{ name: 'c', image, ...container }]
  const template = { metadata: { labels }, spec: { containers } }
  const spec = { replicas, selector: { matchLabels: labels }, template }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec }
}
