import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { type Answer, attempt, passed } from './attempt.ts'

type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET'
type Which = (pod: KubeObject) => boolean

/** A real control plane and the lab's, both without nodes: what a kubelet says is played by hand. */
export class ControllerTwins {
  readonly #sides: readonly [real: KubeClient, lab: KubeClient]
  readonly namespace: string

  constructor(real: KubeClient, lab: KubeClient, namespace: string) {
    this.#sides = [real, lab]
    this.namespace = namespace
  }

  /** The same request at both; it has to be taken. `{}` in a path is the namespace. */
  async both(method: Method, path: string, body?: unknown): Promise<void> {
    const answers = await this.ask(method, path, body)
    for (const answer of answers) passed(answer)
  }

  ask(method: Method, path: string, body?: unknown): Promise<readonly [Answer, Answer]> {
    const [real, lab] = this.#sides
    const [place = '', search = ''] = this.at(path).split('?')
    const query = Object.fromEntries(new URLSearchParams(search))
    const one = (client: KubeClient) => attempt(client, method, place, body, { query })
    return Promise.all([one(real), one(lab)])
  }

  at(path: string): string {
    return path.replace('{}', this.namespace)
  }

  /** Both come to say the same of what lies there, as `shown` tells it, and it is what `holds`. */
  async agree(
    path: string,
    holds: (shown: unknown) => boolean,
    shown: (body: KubeObject) => unknown = statusOf,
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const end = performance.now() + 60_000
    for (;;) {
      const [real, lab] = await this.ask('GET', path)
      const [theirs, ours] = [real, lab].map(({ status, body }) =>
        status === 200 && isRecord(body) ? plain(shown(body as unknown as KubeObject)) : status,
      )
      if (isDeepStrictEqual(theirs, ours) && holds(theirs)) return
      if (performance.now() > end) {
        assert.deepEqual(ours, theirs, path)
        assert.fail(`${path}: both say ${JSON.stringify(theirs)}`)
      }
      await meanwhile()
      await sleep(50)
    }
  }

  /** Says of every such Pod that it runs and is ready, or what else is given. */
  async play(which: Which, status: object = serving): Promise<void> {
    for (const client of this.#sides) {
      for (const pod of await this.#pods(client)) {
        if (!which(pod) || pod.metadata.deletionTimestamp !== undefined) continue
        const path = this.at(`/api/v1/namespaces/{}/pods/${pod.metadata.name}/status`)
        const answer = await attempt(client, 'PATCH', path, { status })
        // gone meanwhile: its controller was quicker
        if (answer.status !== 404) passed(answer)
      }
    }
  }

  /** Puts every such Pod on a node. */
  async bind(which: Which, node: string): Promise<void> {
    for (const client of this.#sides) {
      for (const { metadata } of (await this.#pods(client)).filter(which)) {
        const target = { apiVersion: 'v1', kind: 'Node', name: node }
        const { name } = metadata
        const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target }
        const path = this.at(`/api/v1/namespaces/{}/pods/${name}/binding`)
        passed(await attempt(client, 'POST', path, binding))
      }
    }
  }

  async #pods(client: KubeClient): Promise<readonly KubeObject[]> {
    const type = { apiVersion: 'v1', resource: 'pods' }
    return (await client.list(type, { namespace: this.namespace })).items
  }
}

const time = '2026-01-01T00:00:00Z'

function conditionsOf(ready: 'True' | 'False') {
  return ['Ready', 'ContainersReady'].map((type) => ({
    ...{ type, status: ready, lastTransitionTime: time },
  }))
}

export const serving = { phase: 'Running', conditions: conditionsOf('True') }
export const succeeded = { phase: 'Succeeded', conditions: conditionsOf('False') }
export const failed = { phase: 'Failed', conditions: conditionsOf('False') }

/** A Pod of this workload. */
export function of(app: string): Which {
  return ({ metadata }) => metadata.labels?.app === app
}

/** Its status, with the generation that it is about. */
export function statusOf({ metadata, status }: KubeObject): unknown {
  return { generation: metadata.generation, status }
}

/** Items of a list, each by what matters of it, in an order that does not hang on their names. */
export function each(shown: (item: KubeObject) => unknown) {
  return (list: KubeObject): unknown => {
    const items = Array.isArray(list.items) ? (list.items as KubeObject[]) : []
    return items.map((item) => plain(shown(item))).sort(byText)
  }
}

/** What events say of objects of a kind and name, each once. */
export function eventsOf(kind: string, name: string) {
  return (list: KubeObject): unknown => {
    const own = each(({ type, reason, message, involvedObject: about }) =>
      isRecord(about) && about.kind === kind && about.name === name
        ? { type, reason, message }
        : undefined,
    )(list)
    const said = Array.isArray(own) ? own.filter((one) => one !== undefined) : []
    const texts = said.map((one) => JSON.stringify(one))
    return [...new Set(texts)]
  }
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

/**
 * Without what differs from cluster to cluster: times, uids, revisions, what is drawn by lot, and the hashes
 * that either server makes of templates in its own way. Conditions are put in order by their types.
 */
export function plain(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => plain(item))
    return key === 'conditions' ? items.sort(byText) : items
  }
  if (isRecord(value)) {
    // as good as not there
    const kept = Object.entries(value).filter(([name, one]) => one !== null && !varying.test(name))
    return Object.fromEntries(kept.map(([name, one]) => [name, plain(one, name)]))
  }
  return typeof value === 'string' ? bare(value) : value
}

const varying = /^(uid|resourceVersion|managedFields|creationTimestamp|lastProbeTime)$|hash$/

function bare(text: string): string {
  return text
    .replace(/^Created new replica set ("[^"]+")$/, 'ReplicaSet $1 is progressing.')
    .replace(/^NewReplicaSetCreated$/, 'ReplicaSetUpdated')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replaceAll(hash, '-HASH')
    .replaceAll(ownPart, '-XXXXX')
}

// of the alphabet that generated names are made of
const hash = /-[bcdf-hj-np-tv-xz2-9]{8,10}(?![a-z0-9])/g
const ownPart = /-[bcdf-hj-np-tv-xz2-9]{5}(?![a-z0-9])/g
