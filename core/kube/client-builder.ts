import { afterEach, beforeEach } from 'node:test'
import type { KubeClient } from './client.ts'
import { FakeApi, type Seen, widgets } from './fake-api.ts'
import type { ResourceRef } from './resources.ts'

export const ref: ResourceRef = { ...widgets, namespace: 'a', name: 'w' }

/** For each test of a file: an API server of its own, and a client of it. */
export function freshClients() {
  let api: FakeApi
  let client: KubeClient
  beforeEach(async () => {
    api = await FakeApi.start()
    client = api.client()
  })
  afterEach(() => api.stop())
  return {
    get api() {
      return api
    },
    get client() {
      return client
    },
    last: () => api.requests.at(-1),
  }
}

export function bodyOf(seen: Seen | undefined): unknown {
  return JSON.parse(seen?.body ?? '')
}
