import type { LabClock } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, mapAt, numberAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { controlledBy, controllerKey, referenceTo } from './owned.ts'
import { byWorth, isActive, isAvailable, isReady, untilAvailable } from './pods.ts'
import { statusWritten } from './status.ts'

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
    let failure: string | undefined
    if (own.length < wanted) failure = await add(set, wanted - own.length, parts)
    else await takeAway(set, byWorth(own).slice(0, own.length - wanted), parts)
    await report(set, own, failure, parts)
    if (failure !== undefined) return againMs
    const seconds = numberAt(set, 'spec.minReadySeconds')
    // who is ready becomes available by waiting
    const left = own.filter(isReady).map((pod) => untilAvailable(pod, seconds, parts.clock))
    const due = left.filter((ms) => ms > 0)
    return due.length === 0 ? undefined : Math.min(...due)
  },
}

type Parts = Reconciling<'sets' | 'pods'>

/** At most so many in one go; the watch brings the next. */
const atOnce = 50
/** What was refused is tried again, for whatever it was that stood in the way. */
const againMs = 2000

/** Makes so many more; answers why it could not. */
async function add(
  set: KubeObject,
  count: number,
  { client, record, signal }: Parts,
): Promise<string | undefined> {
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
    if (made.kind === 'refused') {
      const message = `Error creating: ${made.message}`
      record(set, { type: 'Warning', reason: 'FailedCreate', message })
      return made.message
    }
    if (made.kind !== 'applied') throw new Error(`no Pod of \`${name}\`: ${JSON.stringify(made)}`)
    const message = `Created pod: ${made.object.metadata.name ?? ''}`
    record(set, { type: 'Normal', reason: 'SuccessfulCreate', message })
  }
  return undefined
}

async function takeAway(
  set: KubeObject,
  gone: readonly KubeObject[],
  { client, record, signal }: Parts,
): Promise<void> {
  for (const { metadata } of gone) {
    const { namespace = '', name = '', uid = '' } = metadata
    await client.delete({ ...pods, namespace, name }, { preconditions: { uid }, signal })
    record(set, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${name}` })
  }
}

async function report(
  set: KubeObject,
  own: readonly KubeObject[],
  failure: string | undefined,
  { client, clock, signal }: Parts,
): Promise<void> {
  const seconds = numberAt(set, 'spec.minReadySeconds')
  const count = (holds: (pod: KubeObject) => boolean) => own.filter(holds).length
  const [ready, available] = [count(isReady), count((pod) => isAvailable(pod, seconds, clock))]
  const status = {
    replicas: own.length,
    ...(own.length > 0 && { fullyLabeledReplicas: own.length }),
    ...(ready > 0 && { readyReplicas: ready }),
    ...(available > 0 && { availableReplicas: available }),
    // Pods of the lab that are on their way out are gone at once
    terminatingReplicas: 0,
    observedGeneration: set.metadata.generation ?? 1,
    ...(failure !== undefined && { conditions: [failedCreate(set, failure, clock)] }),
  }
  await statusWritten({ client, signal }, replicaSets, set, status)
}

/** What was said first stays: each try names another Pod, and a status that always changes never rests. */
function failedCreate(set: KubeObject, message: string, clock: LabClock) {
  const lastTransitionTime = () => clock.of(set).stamp('ReplicaFailure')
  return (
    conditionOf(set, 'ReplicaFailure') ?? {
      ...{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message },
      lastTransitionTime: lastTransitionTime(),
    }
  )
}
