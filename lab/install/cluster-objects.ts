import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import type { KubeObject, ResourceRef } from '@jackstay/kube/resources'
import { z } from 'zod'
import { type Manifest, nameOf } from './manifests.ts'

const resourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
})
type Known = z.infer<typeof resourceList>['resources'][number]

const triesMost = 5
const pauseMs = 500

/** What the API server said to a write that it did not take. */
export function wordsOf(answer: Exclude<WriteResult, { kind: 'applied' }>): string {
  return answer.kind === 'unknown' ? answer.cause.message : answer.message
}

/** Objects of a cluster by what their manifests say, with discovery as kubectl does it. */
export class ClusterObjects {
  readonly #client: KubeClient
  readonly #known = new Map<string, Promise<readonly Known[]>>()

  constructor(client: KubeClient) {
    this.#client = client
  }

  /** Undefined where the cluster has no such object, or no such kind. */
  async find(wanted: Manifest): Promise<KubeObject | undefined> {
    const ref = await this.#ref(wanted)
    return ref && find(this.#client, ref)
  }

  /**
   * Server-side applies it, taking over fields of others; sent again while its outcome is unknown.
   * @throws Error naming it, with the API server's words
   */
  async apply(wanted: Manifest, fieldManager: string, signal: AbortSignal): Promise<KubeObject> {
    const ref = await this.#ref(wanted)
    if (ref === undefined) {
      throw new Error(`${nameOf(wanted)}: the cluster serves no such kind of ${wanted.apiVersion}`)
    }
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#client.apply(ref, wanted, { fieldManager, force: true, signal })
      if (answer.kind === 'applied') return answer.object
      // the same apply twice leaves what it leaves once
      const passes = answer.kind === 'unknown' || ('status' in answer && answer.status === 429)
      if (passes && tries < triesMost) await sleep(pauseMs, undefined, { signal })
      else {
        throw new Error(`${nameOf(wanted)} was not applied: ${wordsOf(answer)}`)
      }
    }
  }

  /** Deletes the object only while it is the one with this uid. */
  async delete(wanted: Manifest, uid: string): Promise<WriteResult | undefined> {
    const ref = await this.#ref(wanted)
    return (
      ref && this.#client.delete(ref, { preconditions: { uid }, propagationPolicy: 'Foreground' })
    )
  }

  async #ref({ apiVersion, kind, metadata }: Manifest): Promise<ResourceRef | undefined> {
    const resource = (await this.#resources(apiVersion)).find(
      (one) => one.kind === kind && !one.name.includes('/'),
    )
    if (resource === undefined) {
      // a kind that is made later has to be found then
      this.#known.delete(apiVersion)
      return undefined
    }
    const { name, namespace = 'default' } = metadata
    return { apiVersion, resource: resource.name, name, ...(resource.namespaced && { namespace }) }
  }

  #resources(apiVersion: string): Promise<readonly Known[]> {
    const asked = this.#known.get(apiVersion) ?? this.#ask(apiVersion)
    this.#known.set(apiVersion, asked)
    return asked
  }

  async #ask(apiVersion: string): Promise<readonly Known[]> {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const { status, body } = await this.#client.request({ method: 'GET', path })
    if (status === 404) return []
    return resourceList.parse(body).resources
  }
}
