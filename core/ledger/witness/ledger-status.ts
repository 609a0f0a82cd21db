import { JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'
import { openCheckpoint } from '../log/checkpoint.ts'
import { splitNote, verifierFromVkey } from '../log/note.ts'
import { oldestLeaf } from '../log/oldest.ts'
import type { TileReader } from '../log/reader.ts'
import { decodeBundle, hashSize, tileWidth, widthOf } from '../log/tiles.ts'
import { decodeLeaf } from '../store/leaf.ts'
import type { Clock } from '../store/store.ts'
import { checkStoredLog } from '../store/stored-log.ts'
import { type AnchorState, anchored } from './anchor.ts'
import type { LedgerPolicy } from './ledger-policy.ts'
import { quorumMet } from './witness-policy.ts'

const condition = z.strictObject({ ok: z.boolean(), reason: z.string() })

/** How a log stands: `GET /ledger/status`, and `jackstay ledger status`. */
export const ledgerStatus = z.strictObject({
  origin: z.string(),
  vkey: z.string(),
  size: z.int(),
  /** Base64. */
  root: z.string(),
  /** RFC 3339; when the newest leaf was written, which is when the checkpoint was signed. */
  newestLeafAt: z.string().optional(),
  /** The right edge of the tree gives the signed root and the newest leaves are its own. */
  tail: condition,
  /** Kept outside, by whom. */
  anchored: condition,
  anchors: z.array(
    z.strictObject({
      name: z.string(),
      size: z.int().optional(),
      at: z.string().optional(),
      error: z.string().optional(),
    }),
  ),
  /** Cosigned by witnesses; absent where no policy names any. */
  witnessed: z
    .strictObject({
      ...condition.shape,
      required: z.boolean(),
      /** Leaves under the newest checkpoint that was cosigned. */
      size: z.int().optional(),
      cosigned: z.array(z.strictObject({ name: z.string(), at: z.string() })),
    })
    .optional(),
})
export type LedgerStatus = z.infer<typeof ledgerStatus>

export interface StatusSources {
  readonly read: TileReader
  readonly vkey: string
  readonly policy: LedgerPolicy
  readonly anchors: readonly AnchorState[]
  /** The newest checkpoint with the cosignatures that were collected. */
  readonly witnessed?: string | undefined
  readonly clock: Clock
}

/** @throws JackstayError `ledger_damaged` when the log has no checkpoint that its key signed */
export async function readLedgerStatus(sources: StatusSources): Promise<LedgerStatus> {
  const { read, vkey, policy, anchors, clock } = sources
  const note = (await read.checkpoint()) ?? ''
  const opened = openCheckpoint(note, verifierFromVkey(vkey))
  if (!opened.ok) {
    throw new JackstayError('ledger_damaged', `the log has no good checkpoint: ${opened.problem}`)
  }
  const { origin, size, root } = opened.checkpoint
  const newestLeafAt = await newestTime(read, size)
  const kept = anchored(anchors, { size, clock, staleMs: policy.staleMs })
  return {
    ...{ origin, vkey, size, root: Buffer.from(root).toString('base64') },
    ...(newestLeafAt !== undefined && { newestLeafAt }),
    tail: await tailOf(read, note, vkey, size),
    anchored: { ok: kept.anchored, reason: kept.reason },
    anchors: anchors.map(({ name, pushed, error }) => ({
      name,
      ...(pushed !== undefined && { size: pushed.size, at: pushed.at }),
      ...(error !== undefined && { error: error.message }),
    })),
    ...(policy.witnesses !== undefined && { witnessed: witnessedOf(sources, policy.witnesses) }),
  }
}

function witnessedOf(
  { witnessed, vkey }: StatusSources,
  { policy, required }: NonNullable<LedgerPolicy['witnesses']>,
): LedgerStatus['witnessed'] {
  if (witnessed === undefined) {
    return { ok: false, reason: 'no checkpoint was ever cosigned', required, cosigned: [] }
  }
  const { met, reason, cosigned } = quorumMet(witnessed, policy, [verifierFromVkey(vkey)])
  const size = Number(splitNote(witnessed)?.text.split('\n')[1] ?? 0)
  const times = cosigned.map(({ name, time }) => ({ name, at: rfc3339(time) }))
  return { ok: met, reason, required, size, cosigned: times }
}

function rfc3339(seconds: number): string {
  // A witness may sign any 63-bit time; beyond the calendar it is shown as a number.
  return seconds < 8.64e12 ? new Date(seconds * 1000).toISOString() : `second ${seconds}`
}

async function tailOf(
  read: TileReader,
  note: string,
  vkey: string,
  size: number,
): Promise<LedgerStatus['tail']> {
  const wide = (level: number | 'entries', index: number, width: number) =>
    read.tile(level, index, Math.max(width, widthOf(level === 'entries' ? 0 : level, index, size)))
  try {
    const log = {
      checkpoint: async () => note,
      leafCount: async () => size,
      hashes: async (level: number, index: number, width: number) =>
        (await wide(level, index, width))?.subarray(0, width * hashSize),
      entries: (index: number, width: number) => wide('entries', index, width),
      // whether a prune covers what is missing before is for `verifyLedger` to find
      pruned: () => oldestLeaf(read, size),
    }
    await checkStoredLog(log, vkey)
    return { ok: true, reason: 'the newest leaves and the right edge give the signed root' }
  } catch (error) {
    if (!(error instanceof JackstayError) || error.code !== 'ledger_damaged') throw error
    return { ok: false, reason: error.message }
  }
}

async function newestTime(read: TileReader, size: number): Promise<string | undefined> {
  if (size === 0) return undefined
  const index = Math.floor((size - 1) / tileWidth)
  const bundle = await read.tile('entries', index, widthOf(0, index, size))
  const newest = decodeBundle(bundle ?? Buffer.of())?.at(-1)
  if (newest === undefined) return undefined
  try {
    const { data } = decodeLeaf(newest)
    const time = data !== null && typeof data === 'object' && 'time' in data ? data.time : undefined
    return typeof time === 'string' ? time : undefined
  } catch (error) {
    if (error instanceof JackstayError) return undefined // the tail says what is wrong with it
    throw error
  }
}
