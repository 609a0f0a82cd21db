import { canonical, isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import { type AuditWrite, succeeded } from '../witness/audit-event.ts'
import type { Evidence, Snapshot, Violation } from './evidence.ts'
import type { Explained } from './explained.ts'

const promise = 'nothing else changed'

/** Kept by the Deployment controller. */
const revision = 'deployment.kubernetes.io/revision'

export function keyOf(resource: string, group: string, namespace: string, name: string): string {
  return `${group === '' ? resource : `${resource}.${group}`}/${namespace}/${name}`
}

/** What people and agents can mean to change in an object: no status, nothing the server counts. */
export function essence(object: JsonMap): JsonMap {
  const { metadata, status: _, apiVersion: __, kind: ___, ...rest } = object
  const { labels, annotations, uid } = isMap(metadata) ? metadata : {}
  const kept = isMap(annotations)
    ? Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== revision))
    : undefined
  const whole = {
    ...rest,
    metadata: { uid: uid ?? null, labels: labels ?? null, annotations: kept ?? null },
  }
  return pruned(whole)
}

/** Without empty maps and nulls, which the server drops. */
function pruned(map: JsonMap): JsonMap {
  const entries = Object.entries(map).flatMap(([key, value]): [string, Json][] => {
    const kept = prunedValue(value)
    return kept === undefined ? [] : [[key, kept]]
  })
  return Object.fromEntries(entries)
}

function prunedValue(value: Json | undefined): Json | undefined {
  if (value === null || value === undefined) return undefined
  if (Array.isArray(value)) return value.map((item: Json) => prunedValue(item) ?? null)
  if (!isMap(value)) return value
  const kept = pruned(value)
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** RFC 7396. */
export function patched(target: Json | undefined, patch: Json): Json {
  if (!isMap(patch)) return patch
  const result: Record<string, Json> = isMap(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = patched(result[key], value)
  }
  return result
}

interface Change {
  readonly key: string
  readonly version: number
  readonly body: Json
}

/** What stood at the start, with every explained change made to it by hand, is what stands now. */
export function stateFaults(
  { writes, book, before, after }: Pick<Evidence, 'writes' | 'book' | 'before' | 'after'>,
  explained: readonly Explained[],
): Violation[] {
  const changes = [
    ...explained.flatMap(ofExecutor),
    ...writes.flatMap((w) => ofPeople(w, book.edits)),
  ]
  const expected = replayed(before, changes)
  const keys = new Set([...expected.keys(), ...after.keys()])
  return [...keys].flatMap((key) => {
    const what = difference(key, expected.get(key), after.get(key))
    return what === undefined ? [] : [{ promise, what }]
  })
}

function ofExecutor({ write, planned, undo }: Explained): Change[] {
  if (planned.verb !== 'patch') return []
  return [changeOf(write, undo ? planned.inverse.body : planned.body)]
}

function ofPeople(write: AuditWrite, edits: Evidence['book']['edits']): Change[] {
  const body = edits.get(write.auditId)
  return body === undefined || !succeeded(write) ? [] : [changeOf(write, body)]
}

function changeOf(write: AuditWrite, body: Json): Change {
  const { resource, group, namespace, name, result } = write
  const metadata = isMap(result as Json) ? (result as JsonMap).metadata : undefined
  const version = isMap(metadata) ? Number(metadata.resourceVersion) : Number.NaN
  return { key: keyOf(resource, group, namespace, name), version, body }
}

/** Resource versions are etcd's revisions: they order what was stored. */
function replayed(before: Snapshot, changes: readonly Change[]): Map<string, JsonMap> {
  const state = new Map(before)
  for (const { key, body } of changes.toSorted((a, b) => a.version - b.version)) {
    const object = state.get(key)
    if (object !== undefined) state.set(key, patched(object, withoutVersion(body)) as JsonMap)
  }
  return state
}

function withoutVersion(body: Json): Json {
  if (!isMap(body) || !isMap(body.metadata)) return body
  const { resourceVersion: _, ...metadata } = body.metadata
  return { ...body, metadata }
}

function difference(
  key: string,
  was: JsonMap | undefined,
  is: JsonMap | undefined,
): string | undefined {
  if (was === undefined) return `${key} was made by nobody`
  if (is === undefined) return `${key} was deleted by nobody`
  const [expected, actual] = [pruned(was), pruned(is)]
  if (canonical(expected) === canonical(actual)) return undefined
  return `${key} differs: ${differing(expected, actual, '').slice(0, 4).join('; ')}`
}

function differing(a: Json | undefined, b: Json | undefined, path: string): string[] {
  if (isMap(a) && isMap(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    return keys.flatMap((key) => differing(a[key], b[key], `${path}/${key}`))
  }
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)]
  return left === right ? [] : [`${path} is ${right}, by all that is known ${left}`]
}
