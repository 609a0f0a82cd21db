import { connect, type KubeClient } from '@jackstay/kube/client'
import { configFor } from '@jackstay/kube/config'
import { rbac } from '../access/rbac.ts'
import { createTokenKey, tokenKey } from '../access/token-key.ts'
import { identities } from '../identities.ts'
import type { User } from '../objects.ts'
import { Registry } from '../resources/registry.ts'
import { ObjectStore } from '../store/store.ts'
import type { Gates } from './gates.ts'
import { type ApiServer, startApiServer } from './server.ts'

// For the tests of this folder: the server with gates that stand open.

const admin: User = { username: 'admin', groups: ['system:masters'], extra: {} }

export const openGates: Gates = {
  authenticate: async () => admin,
  authorize: () => undefined,
  mutate: () => undefined,
  validate: () => undefined,
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
      ...{ store: this.store, registry: this.registry, gates, port: 0 },
      ids: identities(this.store),
      rights: rbac(this.store),
      logs: { lines: () => undefined },
      tokens: {
        key: tokenKey(createTokenKey()),
        issuer: 'https://lab',
        audiences: ['https://lab'],
      },
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
