import { JackstayError } from '@jackstay/contract/errors'
import { openCheckpoint } from './checkpoint.ts'
import { verifierFromVkey } from './note.ts'
import { decodeBundle, hashSize, tileWidth, widthOf } from './tiles.ts'
import {
  consistencyProof,
  type Frontier,
  frontierFrom,
  leafHash,
  type ReadTile,
  rootOf,
  verifyConsistency,
} from './tree.ts'

/** A log as it lies in a database, all of it read at one moment. */
export interface StoredLog {
  checkpoint(): Promise<string | undefined>
  leafCount(): Promise<number>
  hashes(level: number, index: number, width: number): Promise<Uint8Array | undefined>
  entries(index: number, width: number): Promise<Uint8Array | undefined>
}

export interface CheckedLog {
  readonly note: string
  readonly frontier: Frontier
}

/**
 * Takes over what is stored, when the right edge of the tree gives the root that was signed and
 * the newest leaves are those it was made of; the rest of the entries is for `verifyLedger`.
 * @throws JackstayError `ledger_damaged`
 */
export async function checkStoredLog(log: StoredLog, vkey: string): Promise<CheckedLog> {
  const note = await log.checkpoint()
  if (note === undefined) throw damaged('it has no checkpoint')
  const opened = openCheckpoint(note, verifierFromVkey(vkey))
  if (!opened.ok) throw damaged(opened.problem)
  const { size, root } = opened.checkpoint
  const count = await log.leafCount()
  if (count !== size) throw damaged(`it holds ${count} leaves, its checkpoint says ${size}`)
  const frontier = await frontierFrom(size, readTileOf(log))
  if (!Buffer.from(rootOf(frontier)).equals(root)) {
    throw damaged('its tree does not have the root that was signed')
  }
  await assertNewestLeaves(log, size)
  return { note, frontier }
}

/** @throws JackstayError `ledger_damaged` when a leaf that a torn write would hit is not its own */
async function assertNewestLeaves(log: StoredLog, size: number): Promise<void> {
  if (size === 0) return
  const bundle = Math.floor((size - 1) / tileWidth)
  const width = widthOf(0, bundle, size)
  const hashes = (await log.hashes(0, bundle, width)) ?? Buffer.alloc(0)
  const entries = decodeBundle((await log.entries(bundle, width)) ?? Buffer.alloc(0)) ?? []
  if (entries.length !== width) throw damaged('leaves are missing at its end')
  for (const [i, entry] of entries.entries()) {
    const stored = hashes.subarray(i * hashSize, (i + 1) * hashSize)
    if (Buffer.from(leafHash(entry)).equals(stored)) continue
    throw damaged(`leaf ${bundle * tileWidth + i} was changed`)
  }
}

/**
 * Whether the log still holds everything that an earlier checkpoint of it says.
 * @throws JackstayError `ledger_damaged` with both sizes, or the size at which they part
 */
export async function assertExtends(
  log: Pick<StoredLog, 'hashes'>,
  now: Frontier,
  earlier: { readonly size: number; readonly root: Uint8Array },
): Promise<void> {
  if (now.size < earlier.size) {
    throw damaged(
      `it holds ${now.size} leaves and has held ${earlier.size}: an old backup or a standby that had not caught up stands in its place`,
    )
  }
  const proof = await consistencyProof(earlier.size, now.size, readTileOf(log))
  const extends_ = verifyConsistency({
    from: earlier.size,
    to: now.size,
    fromRoot: earlier.root,
    toRoot: rootOf(now),
    proof,
  })
  if (!extends_) throw damaged(`its first ${earlier.size} leaves are not the ones it had`)
}

function readTileOf(log: Pick<StoredLog, 'hashes'>): ReadTile {
  return async (level, index, width) => {
    const tile = await log.hashes(level, index, width)
    if (tile === undefined) throw damaged(`tile ${level}/${index} is missing`)
    return tile
  }
}

export function damaged(what: string): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    `the ledger does not verify: ${what}; keep a copy of it, compare with \`jackstay ledger verify\` and a checkpoint kept elsewhere, then restore what is newest or begin a new log`,
  )
}
