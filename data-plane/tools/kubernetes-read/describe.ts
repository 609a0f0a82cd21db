import type { JsonMap } from '@jackstay/contract/json'
import type {
  DescribeAnswer,
  DescribeRequest,
  EventEntry,
  PodState,
} from '@jackstay/contract/reads'
import { collectionPath, type KubeObject } from '@jackstay/kube/resources'
import type { AgentReader } from './agent.ts'
import { findEvents } from './events.ts'
import { Parts } from './parts.ts'
import { podState } from './pods.ts'
import { evidenceOf, shown, uriOf } from './read.ts'
import { checkScope, readableKind } from './readable.ts'
import { Stripper } from './strip.ts'
import { ownersOf, type Surroundings, surroundingsOf } from './surroundings.ts'

const maxPods = 20
const maxEvents = 30

/**
 * Reads an object and what stands around it. Only the object itself has to be readable: of every other
 * part that fails it says why.
 * @throws JackstayError as a get does
 */
export async function describe(
  reader: AgentReader,
  request: DescribeRequest,
  signal: AbortSignal,
): Promise<DescribeAnswer> {
  const { kind, apiVersion, namespace, name } = request
  const row = readableKind(kind, apiVersion)
  checkScope(row, namespace)
  const object = await reader.get(row, namespace, name)
  const parts = new Parts(signal)
  const stripper = new Stripper()
  const [owners, around] = await Promise.all([
    ownersOf(reader, object, parts),
    surroundingsOf(reader, row, object, parts),
  ])
  const events = await eventsAbout(reader, row.scope, object, around, parts, stripper)
  const seen = shown(row, object, stripper)
  const pods = podsOf(around, parts, stripper)
  const related = around.related.map((one) => relatedOf(one, stripper))
  return {
    untrusted: true,
    withheld: stripper.withheld,
    object: seen,
    owners,
    related,
    pods,
    events,
    missing: parts.missing,
    evidence: [
      evidenceOf(uriOf(row, namespace, name), seen),
      ...(pods.length > 0
        ? [evidenceOf(`k8s:${collectionPath(readableKind('Pod'), namespace)}`, pods)]
        : []),
      ...(events.length > 0
        ? [
            evidenceOf(
              `k8s:${collectionPath(readableKind('Event'), namespace ?? 'default')}`,
              events,
            ),
          ]
        : []),
    ],
  }
}

function relatedOf(object: KubeObject, stripper: Stripper): JsonMap {
  return shown(readableKind(object.kind ?? ''), object, stripper)
}

/** Those in trouble first: they are why somebody looks. */
function podsOf({ pods }: Surroundings, parts: Parts, stripper: Stripper): PodState[] {
  const states = pods
    .map((one) => podState(one, stripper))
    .filter((one) => one !== undefined)
    .toSorted((a, b) => Number(a.ready) - Number(b.ready) || b.restarts - a.restarts)
  if (states.length > maxPods) {
    const rest = states.slice(maxPods)
    const ready = rest.filter((one) => one.ready).length
    parts.note('pods', `${rest.length} more Pods, ${ready} of them ready; list Pod to see them`)
  }
  return states.slice(0, maxPods)
}

async function eventsAbout(
  reader: AgentReader,
  scope: 'namespaced' | 'cluster',
  object: KubeObject,
  { related, pods }: Surroundings,
  parts: Parts,
  stripper: Stripper,
): Promise<EventEntry[]> {
  const { namespace = 'default', name = '' } = object.metadata
  const own = `involvedObject.kind=${object.kind},involvedObject.name=${name}`
  const none = { events: [], complete: true }
  const ofObject = await parts.of('events', findEvents(reader, namespace, own, stripper), none)
  if (scope === 'cluster' || parts.missing.some(({ what }) => what === 'events')) {
    return ofObject.events.slice(0, maxEvents)
  }
  const uids = new Set([object, ...related, ...pods].map(({ metadata }) => metadata.uid))
  const wide =
    uids.size > 1
      ? await parts.of('events', findEvents(reader, namespace, '', stripper), none)
      : none
  if (!wide.complete) {
    parts.note('events', 'the namespace has too many events; ask `events` about single Pods')
  }
  const others = wide.events.filter(
    ({ object: about }) => uids.has(about.uid) && about.uid !== object.metadata.uid,
  )
  return [...ofObject.events.filter(({ object: about }) => isAbout(about.uid, object)), ...others]
    .toSorted((a, b) => Date.parse(b.lastSeen ?? '') - Date.parse(a.lastSeen ?? ''))
    .slice(0, maxEvents)
}

/** Events of an earlier object of this name are not about this one. */
function isAbout(uid: string | undefined, { metadata }: KubeObject): boolean {
  return uid === undefined || uid === metadata.uid
}
