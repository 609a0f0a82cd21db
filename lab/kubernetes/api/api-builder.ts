import { connect, type KubeClient } from '@jackstay/kube/client'
import { configFor } from '@jackstay/kube/config'
import type { User } from '../objects.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { applyMergePatch } from '../patch/merge-patch.ts'
import { Registry } from '../resources/registry.ts'
import { ObjectStore } from '../store/store.ts'
import type { Gates, Patcher } from './gates.ts'
import { type ApiServer, startApiServer } from './server.ts'

// For the tests of this folder: the server with gates that stand open.

const admin: User = { username: 'admin', groups: ['system:masters'], extra: {} }

export const openGates: Gates = {
  authenticate: async () => admin,
  authorize: () => undefined,
  mutate: () => undefined,
  validate: () => undefined,
}

export const plainPatcher: Patcher = {
  accepted: () => ['application/json-patch+json', 'application/merge-patch+json'],
  patched: (_, live, { type, text }) => {
    if (live === undefined) throw new TypeError('nothing to patch')
    const patch: unknown = JSON.parse(text)
    const next = type.startsWith('application/merge')
      ? applyMergePatch(live, patch)
      : applyJsonPatch(live, patch)
    return { ...next, metadata: { ...(next.metadata as object) } }
  },
  managedFields: () => [],
}

/** A running server with nobody to ask, and a client of it. */
export class TestApi {
  readonly store = new ObjectStore()
  readonly registry = new Registry()
  readonly errors: unknown[] = []
  now = Date.UTC(2026, 0, 1)
  #server: ApiServer | undefined
  #client: KubeClient | undefined

  async start(gates: Gates = openGates): Promise<KubeClient> {
    const server = await startApiServer({
      ...{ store: this.store, registry: this.registry, gates, patcher: plainPatcher, port: 0 },
      now: () => this.now,
      onError: (error) => this.errors.push(error),
    })
    this.#server = server
    this.#client = connect(configFor(server.url, { token: 'any' }), {
      userAgent: 'test/1',
      timeoutMs: 5_000,
    })
    return this.#client
  }

  get url(): string {
    return this.#server?.url ?? ''
  }

  async stop(): Promise<void> {
    await this.#client?.close()
    await this.#server?.close()
  }
}
