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
  const { metadata, status: _, apiVersion: __, kind, ...whole } = object
  const rest = kind === 'Node' ? openness(whole) : whole
  const { labels, annotations, uid } = isMap(metadata) ? metadata : {}
  const kept = isMap(annotations)
    ? Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== revision))
    : undefined
  return pruned({
    ...rest,
    metadata: { uid: uid ?? null, labels: labels ?? null, annotations: kept ?? null },
  })
}

/** Controllers keep taints and address ranges in a node's spec. */
function openness({ spec }: JsonMap): JsonMap {
  return { spec: { unschedulable: isMap(spec) ? (spec.unschedulable ?? null) : null } }
}

/** What the server leaves out where it is false. */
const leftOut = new Set(['paused', 'unschedulable'])

/** Without what the server drops: empty maps, nulls, and what is left out where it is false. */
function pruned(map: JsonMap): JsonMap {
  const entries = Object.entries(map).flatMap(([key, value]): [string, Json][] => {
    if (leftOut.has(key) && value === false) return []
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
  apply(object: JsonMap | undefined): JsonMap | undefined
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
  if (planned.verb === 'evict') return []
  if (planned.verb === 'create' && !undo) {
    return [{ ...placeOf(write), apply: () => essence(mapOf(write.result)) }]
  }
  const body = undo ? planned.inverse.body : planned.body
  return [{ ...placeOf(write), apply: (object) => patchedObject(object, body) }]
}

function ofPeople(write: AuditWrite, edits: Evidence['book']['edits']): Change[] {
  const edit = edits.get(write.auditId)
  if (edit === undefined || !succeeded(write)) return []
  const apply = (object: JsonMap | undefined) => {
    return edit === 'made' ? essence(mapOf(write.result)) : patchedObject(object, edit.patch)
  }
  return [{ ...placeOf(write), apply }]
}

/** Which object, and when: resource versions are etcd's revisions, which order what was stored. */
function placeOf(write: AuditWrite): Pick<Change, 'key' | 'version'> {
  const { resource, group, namespace, name, result } = write
  const { metadata } = mapOf(result)
  const version = isMap(metadata) ? Number(metadata.resourceVersion) : Number.NaN
  return { key: keyOf(resource, group, namespace, name), version }
}

/** From the audit log, whose lines are JSON. */
function mapOf(value: unknown): JsonMap {
  return isMap(value as Json) ? (value as JsonMap) : {}
}

function patchedObject(object: JsonMap | undefined, body: Json): JsonMap | undefined {
  if (object === undefined) return undefined
  const after = patched(object, withoutVersion(body))
  return isMap(after) ? after : undefined
}

function replayed(before: Snapshot, changes: readonly Change[]): Map<string, JsonMap> {
  const state = new Map(before)
  for (const { key, apply } of changes.toSorted((a, b) => a.version - b.version)) {
    const object = apply(state.get(key))
    if (object !== undefined) state.set(key, object)
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
