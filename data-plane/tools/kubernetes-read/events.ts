import type { EventEntry, EventsAnswer, EventsRequest } from '@jackstay/contract/reads'
import { collectionPath, type KubeObject } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { AgentReader } from './agent.ts'
import { evidenceOf } from './read.ts'
import { checkScope, readableKind } from './readable.ts'
import { Stripper } from './strip.ts'

const event = z.object({
  metadata: z.object({ creationTimestamp: z.string().nullish() }),
  involvedObject: z
    .object({
      kind: z.string().default(''),
      name: z.string().default(''),
      namespace: z.string().optional(),
      uid: z.string().optional(),
      fieldPath: z.string().optional(),
    })
    .prefault({}),
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  count: z.int().nullish(),
  source: z.object({ component: z.string().optional() }).nullish(),
  reportingComponent: z.string().nullish(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  series: z.object({ count: z.int().nullish(), lastObservedTime: z.string().nullish() }).nullish(),
})

const pageSize = 500
/** The server lists them by name, so the newest are known only when all are read. */
const maxPages = 4

export interface FoundEvents {
  readonly events: readonly EventEntry[]
  /** False where there were more pages than are read. */
  readonly complete: boolean
}

/**
 * Reads events, newest first, equal ones counted together.
 * @throws JackstayError as a list does
 */
export async function readEvents(
  reader: AgentReader,
  request: EventsRequest,
): Promise<EventsAnswer> {
  const { kind, namespace, name, type, limit } = request
  const about = kind === undefined ? undefined : readableKind(kind)
  if (about) checkScope(about, namespace)
  const fields = [
    ...(about ? [`involvedObject.kind=${about.kind}`] : []),
    ...(name !== undefined ? [`involvedObject.name=${name}`] : []),
    ...(type !== undefined ? [`type=${type}`] : []),
  ]
  const fieldSelector = fields.join(',')
  // events about what has no namespace stand in `default`
  const where = namespace ?? 'default'
  const stripper = new Stripper()
  const found = await findEvents(reader, where, fieldSelector, stripper)
  const events = found.events.slice(0, limit)
  const query = new URLSearchParams({ ...(fieldSelector && { fieldSelector }) })
  return {
    untrusted: true,
    withheld: stripper.withheld,
    events,
    truncated: !found.complete || events.length < found.events.length,
    evidence: evidenceOf(`k8s:${collectionPath(readableKind('Event'), where)}?${query}`, events),
  }
}

/** All that the server has for this selector, within a bound. */
export async function findEvents(
  reader: AgentReader,
  namespace: string,
  fieldSelector: string,
  stripper: Stripper,
): Promise<FoundEvents> {
  const row = readableKind('Event')
  const objects: KubeObject[] = []
  let next: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const list = await reader.list(row, namespace, {
      limit: pageSize,
      ...(fieldSelector && { fieldSelector }),
      ...(next && { continue: next }),
    })
    objects.push(...list.items)
    next = list.continue
    if (next === undefined) break
  }
  return { events: counted(objects, stripper), complete: next === undefined }
}

const maxMessage = 1024

/** Newest first; what was said again, even about another time, is one entry with its count. */
export function counted(objects: readonly KubeObject[], stripper: Stripper): EventEntry[] {
  const byWords = new Map<string, EventEntry>()
  for (const object of objects) {
    const parsed = event.safeParse(object)
    if (!parsed.success) continue
    const entry = entryOf(parsed.data)
    const { type, reason, message, source } = entry
    const key = JSON.stringify([entry.object, type, reason, message, source])
    const known = byWords.get(key)
    byWords.set(key, known === undefined ? entry : joined(known, entry))
  }
  return [...byWords.values()]
    .toSorted((a, b) => Date.parse(b.lastSeen ?? '0') - Date.parse(a.lastSeen ?? '0'))
    .map((entry) => ({ ...entry, ...wordsOf(entry, stripper) }))
}

function entryOf(one: z.output<typeof event>): EventEntry {
  const created = one.metadata.creationTimestamp ?? undefined
  const first = one.firstTimestamp ?? one.eventTime ?? created
  const last = one.series?.lastObservedTime ?? one.lastTimestamp ?? one.eventTime ?? created
  return {
    type: one.type ?? '',
    reason: one.reason ?? '',
    message: one.message ?? '',
    count: one.series?.count ?? one.count ?? 1,
    ...(first && { firstSeen: first }),
    ...(last && { lastSeen: last }),
    source: one.reportingComponent || one.source?.component || '',
    object: one.involvedObject,
  }
}

function joined(a: EventEntry, b: EventEntry): EventEntry {
  const first = [a.firstSeen, b.firstSeen].filter((at) => at !== undefined).toSorted(byTime)[0]
  const last = [a.lastSeen, b.lastSeen]
    .filter((at) => at !== undefined)
    .toSorted(byTime)
    .at(-1)
  return {
    ...a,
    count: a.count + b.count,
    ...(first && { firstSeen: first }),
    ...(last && { lastSeen: last }),
  }
}

const byTime = (a: string, b: string) => Date.parse(a) - Date.parse(b)

/** Whoever may create events may write anything into every field of them. */
function wordsOf(entry: EventEntry, stripper: Stripper): Partial<EventEntry> {
  const { kind, name, namespace, uid, fieldPath } = entry.object
  return {
    type: stripper.text(entry.type, 64),
    reason: stripper.text(entry.reason, 128),
    message: stripper.text(entry.message, maxMessage),
    source: stripper.text(entry.source, 128),
    object: {
      kind: stripper.text(kind, 64),
      name: stripper.text(name, 253),
      ...(namespace !== undefined && { namespace: stripper.text(namespace, 63) }),
      ...(uid !== undefined && { uid: stripper.text(uid, 64) }),
      ...(fieldPath !== undefined && { fieldPath: stripper.text(fieldPath, 256) }),
    },
  }
}
