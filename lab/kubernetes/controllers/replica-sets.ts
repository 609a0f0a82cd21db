import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../objects.ts'
import { mapAt, numberAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { controlledBy, controllerKey, referenceTo } from './owned.ts'
import { byWorth, isActive, isAvailable, isReady } from './pods.ts'

const replicaSets = { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' }
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

/** Keeps as many Pods of a template as are wanted. */
export const replicaSetController: Controller<'sets' | 'pods'> = {
  name: 'replicaset-controller',
  watches: {
    sets: { type: replicaSets, keys: (set) => [keyOf(set)] },
    pods: { type: pods, keys: (pod) => controllerKey('ReplicaSet', pod) },
  },
  async reconcile(key, parts) {
    const { namespace, name } = placeIn(key)
    const set = parts.caches.sets.get(namespace, name)
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined
    const own = controlledBy(set, parts.caches.pods).filter(isActive)
    const wanted = numberAt(set, 'spec.replicas', 1)
    if (own.length < wanted) await add(set, wanted - own.length, parts)
    else await takeAway(byWorth(own).slice(0, own.length - wanted), parts)
    await report(set, own, parts)
    const seconds = numberAt(set, 'spec.minReadySeconds')
    // who is ready becomes available by waiting
    return seconds > 0 && own.some(isReady) ? seconds * 1000 : undefined
  },
}

type Parts = Reconciling<'sets' | 'pods'>

/** At most so many in one go; the watch brings the next. */
const atOnce = 50

async function add(set: KubeObject, count: number, { client, signal }: Parts): Promise<void> {
  const { namespace = '', name = '' } = set.metadata
  const template = mapAt(set, 'spec.template')
  const { labels, annotations } = mapAt(template, 'metadata')
  const metadata = {
    generateName: `${name}-`,
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
    ownerReferences: [referenceTo(set)],
  }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec }
  for (let n = 0; n < Math.min(count, atOnce); n++) {
    const made = await client.create(pods, namespace, pod, { signal })
    if (made.kind !== 'applied') throw new Error(`no Pod of \`${name}\`: ${JSON.stringify(made)}`)
  }
}

async function takeAway(gone: readonly KubeObject[], { client, signal }: Parts): Promise<void> {
  for (const { metadata } of gone) {
    const { namespace = '', name = '', uid = '' } = metadata
    await client.delete({ ...pods, namespace, name }, { preconditions: { uid }, signal })
  }
}

async function report(set: KubeObject, own: readonly KubeObject[], parts: Parts): Promise<void> {
  const { client, now, signal } = parts
  const seconds = numberAt(set, 'spec.minReadySeconds')
  const count = (holds: (pod: KubeObject) => boolean) => own.filter(holds).length
  const [ready, available] = [count(isReady), count((pod) => isAvailable(pod, seconds, now()))]
  const status = {
    replicas: own.length,
    ...(own.length > 0 && { fullyLabeledReplicas: own.length }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    observedGeneration: set.metadata.generation ?? 1,
  }
  if (isDeepStrictEqual(set.status, status)) return
  const { namespace = '', name = '', resourceVersion = '' } = set.metadata
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets/${name}/status`
  const body = { ...set, metadata: { ...set.metadata, resourceVersion }, status }
  await client.request({ method: 'PUT', path, body, signal })
}
