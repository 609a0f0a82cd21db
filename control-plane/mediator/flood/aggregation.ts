import { digestOf, type Json } from '@jackstay/contract/json'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Store } from '@jackstay/ledger/store'
import type { Clock, History } from '../ports.ts'

/** Refusals of one agent for one reason that have leaves of their own, of each ten seconds. */
const ownLeaves = 10
const windowMs = 10_000
const page = 500
/** Says since when refusals may stand without a leaf; deleted once none does. */
const sinceNote = 'refusals/since'

interface Window {
  readonly agent: string
  readonly class: string
  readonly reason: string
  /** Milliseconds of its begin. */
  readonly from: number
  own: number
  /** Appends under way: the window is not closed before they are done. */
  pending: number
  /** Refused without a leaf of their own, and what was signed. */
  readonly members: Map<string, string>
}

export interface Aggregation {
  /** The same append, with the leaves of a flood of refusals left to {@link flush}. */
  around(append: History['append']): History['append']
  /** Writes one leaf for each window that is over. Once each, also after a crash in between. */
  flush(): Promise<void>
}

export interface AggregationOptions {
  readonly store: Pick<Store, 'appendLeaves' | 'putNote' | 'notes' | 'list'>
  readonly read: (id: string) => Promise<IntentRecord>
  /** Whether any event of the intent has a leaf. */
  readonly hasLeaf: (id: string) => Promise<boolean>
  readonly clock: Clock
  readonly clusterUid: string
  readonly onAggregated: (count: number) => void
}

/**
 * Refusals of one agent for one reason beyond a few in ten seconds share one leaf, which says how many
 * they were and commits to each, so that a flood cannot fill the log (T13). Every intent still has its
 * own events and its answer. What was counted when the program died is found again in the histories.
 */
export async function aggregation(options: AggregationOptions): Promise<Aggregation> {
  const { store, clock } = options
  const windows = new Map<string, Window>()
  let marked: Promise<void> | undefined
  await recall(options, windows)
  // what was found is older than anything to come: the note that says since when stays
  if (windows.size > 0) marked = Promise.resolve()
  const mark = async (from: number) => {
    marked ??= store.putNote(sinceNote, from)
    try {
      await marked
    } catch (error) {
      marked = undefined
      throw error
    }
  }

  const close = async (key: string, window: Window) => {
    if (window.members.size > 0) {
      const leaf = { kind: 'decision' as const, data: leafOf(window, options.clusterUid) }
      await store.appendLeaves([leaf], { token: `refusals/${key}` })
      options.onAggregated(window.members.size)
    }
    windows.delete(key)
  }
  return {
    around: (append) => async (record, events, leaves) => {
      const last = events.at(-1)
      const kinds = leaves.map(({ kind }) => kind).join()
      const refused = last?.type === 'ended' && last.data.phase === 'refused'
      if (!refused || kinds !== 'decision') return append(record, events, leaves)
      const at = Date.parse(last.at)
      const from = at - (at % windowMs)
      const window = windowFor(windows, record, last.data.reason, from)
      // a late one: its window may be on record already
      const late = clock.now() >= from + windowMs
      if (late || window.own < ownLeaves) {
        window.own++
        return append(record, events, leaves)
      }
      window.pending++
      try {
        await mark(from)
        const done = await append(record, events, [])
        window.members.set(record.id, record.authenticated.jwsDigest)
        return done
      } finally {
        window.pending--
      }
    },
    async flush() {
      const over = [...windows].filter(
        ([, { from, pending }]) => pending === 0 && clock.now() >= from + windowMs,
      )
      for (const [key, window] of over) await close(key, window)
      if (over.length === 0 || windows.size > 0) return
      marked = undefined
      await store.putNote(sinceNote, undefined)
    },
  }
}

function windowFor(
  windows: Map<string, Window>,
  { authenticated: { agent } }: IntentRecord,
  reason: string,
  from: number,
): Window {
  const key = `${agent.name}/${reason}/${from}`
  const known = windows.get(key)
  if (known !== undefined) return known
  const base = { agent: agent.name, class: agent.class, reason, from }
  const made: Window = { ...base, own: 0, pending: 0, members: new Map() }
  windows.set(key, made)
  return made
}

/** What stands refused without a leaf since the note was written belongs to windows not closed yet. */
async function recall(
  { store, read, hasLeaf }: AggregationOptions,
  windows: Map<string, Window>,
): Promise<void> {
  const [note] = await store.notes(sinceNote)
  if (typeof note?.value !== 'number') return
  for (let before: number | undefined; ; ) {
    const query = { phase: 'refused', limit: page, ...(before !== undefined && { before }) }
    const rows = await store.list(query)
    const since = note.value
    const recent = rows.filter((row) => Date.parse(row.updatedAt) >= since)
    for (const { id } of recent) {
      if (await hasLeaf(id)) continue
      const record = await read(id)
      if (record.ended === undefined) continue
      const at = Date.parse(record.ended.at)
      const window = windowFor(windows, record, record.ended.reason, at - (at % windowMs))
      // full: what comes beside them in the same ten seconds is counted with them
      window.own = ownLeaves
      window.members.set(id, record.authenticated.jwsDigest)
    }
    before = rows.at(-1)?.ordinal
    if (recent.length === 0 || rows.length < page) return
  }
}

function leafOf(window: Window, clusterUid: string): Json {
  const { agent, class: owner, reason, from, members } = window
  const time = new Date(from).toISOString()
  const listed = [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, jws]) => [id, jws])
  return {
    specversion: '1.0',
    id: `${agent}/refusals/${reason}/${from}`,
    type: 'dev.jackstay.decision.refusals.v1',
    source: `/clusters/${clusterUid}/jackstay`,
    subject: agent,
    time,
    datacontenttype: 'application/json',
    data: {
      leaf: 'decision',
      agent: { name: agent, class: owner },
      outcome: `refused/${reason}`,
      refusals: {
        count: members.size,
        from: time,
        to: new Date(from + windowMs).toISOString(),
        digest: digestOf(listed),
      },
    },
  }
}
