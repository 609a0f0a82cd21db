import type { CreateWrite, PatchWrite, Plan, PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'

/** The plan people approved: the rehearsed one. */
export function approvedPlan(record: IntentRecord): Plan {
  const { rehearsed } = record
  if (rehearsed === undefined) throw new TypeError(`intent \`${record.id}\` has no rehearsed plan`)
  return rehearsed.plan
}

/** Writes that landed, in the order they were made. */
export function landedWrites(record: IntentRecord): PlannedWrite[] {
  const landed = new Set(record.written.filter((w) => w.outcome === 'applied').map((w) => w.write))
  return record.rehearsed?.plan.writes.filter((w) => landed.has(w.id)) ?? []
}

export function hasWritten(record: IntentRecord): boolean {
  return record.written.some((w) => w.outcome === 'applied')
}

/** Writes that landed and that nothing takes back. */
export function evictions(record: IntentRecord): PlannedWrite[] {
  return landedWrites(record).filter((w) => w.verb === 'evict')
}

/** Writes that landed and whose inverse has not, newest first; what has none is left out. */
export function writesToUndo(record: IntentRecord): (PatchWrite | CreateWrite)[] {
  const undone = new Set(record.undone.filter((u) => u.outcome === 'applied').map((u) => u.write))
  return landedWrites(record)
    .filter((w) => w.verb !== 'evict')
    .filter((w) => !undone.has(w.id))
    .reverse()
}

/** Names one send among those that are on record and have not left. */
export function sendOf(attempt: number, { undo }: { readonly undo: boolean }): string {
  return `${undo ? 'undo' : 'do'} ${attempt}`
}

/** Doubled with each try in a row that the API server did not take. */
const busyMs = { min: 1_000, max: 10_000 }

/** When the next try of what was not taken is due, in milliseconds since the epoch. */
export function triedAgainAt(
  receipts: IntentRecord['written'] | IntentRecord['undone'],
): number | undefined {
  const last = receipts.at(-1)
  if (last?.outcome !== 'unsent') return undefined
  const row = receipts.length - 1 - receipts.findLastIndex(({ outcome }) => outcome !== 'unsent')
  return Date.parse(last.at) + Math.min(busyMs.min * 2 ** (row - 1), busyMs.max)
}

/** Whether the write may have got there without a receipt. `unsent`: its newest send has not left. */
export function mayHaveLanded(record: IntentRecord, write: PlannedWrite, unsent = false): boolean {
  return isUnheard(record.dispatched?.attempt, record.written, write.id, unsent)
}

/** The same of its inverse. */
export function undoMayHaveLanded(
  record: IntentRecord,
  write: PlannedWrite,
  unsent = false,
): boolean {
  return isUnheard(record.undoDispatched?.attempt, record.undone, write.id, unsent)
}

/**
 * How long the API server may take for a write that nobody waits for any more: it gives each request up
 * after a minute (`--request-timeout` of kube-apiserver), writes sooner.
 */
const serverMs = 60_000

/**
 * Until when a write that may have left may land although nothing of it is sent any more, in milliseconds
 * since the epoch; undefined where no receipt says by when the last of it had left.
 */
export function mayLandUntil(
  { dispatched, written }: IntentRecord,
  write: PlannedWrite,
): number | undefined {
  if (!written.some(({ attempt }) => attempt === dispatched?.attempt)) return undefined
  const last = written.findLast((one) => one.write === write.id && one.unanswered === true)
  return last && Date.parse(last.at) + serverMs
}

function isUnheard(
  sends = 0,
  receipts: IntentRecord['written'] | IntentRecord['undone'],
  write: string,
  unsent: boolean,
): boolean {
  // an attempt 0 is none: nothing was sent
  const heard = new Set(receipts.map(({ attempt }) => attempt).filter((attempt) => attempt > 0))
  const known = heard.size + (unsent ? 1 : 0)
  return sends > known || receipts.some((one) => one.write === write && one.unanswered === true)
}
