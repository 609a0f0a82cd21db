import { JackstayError } from '@jackstay/contract/errors'
import { openCheckpoint } from '../log/checkpoint.ts'
import { verifierFromVkey } from '../log/note.ts'
import { decodeBundle, hashSize, tileWidth, widthOf } from '../log/tiles.ts'
import {
  consistencyProof,
  type Frontier,
  frontierFrom,
  leafHash,
  perfectRoot,
  type ReadTile,
  rootOf,
  verifyConsistency,
} from '../log/tree.ts'

/** A log as it lies in a database, all of it read at one moment. */
export interface StoredLog {
  checkpoint(): Promise<string | undefined>
  leafCount(): Promise<number>
  hashes(level: number, index: number, width: number): Promise<Uint8Array | undefined>
  entries(index: number, width: number): Promise<Uint8Array | undefined>
  /** The leaves before this one were pruned; none where it is not given. */
  pruned?(): Promise<number>
}

export interface CheckedLog {
  readonly note: string
  readonly frontier: Frontier
}

/** Entry bundles at the end that are compared with their hashes: 4,096 leaves, some 20 ms. */
const newestBundles = 16

/**
 * Takes over what is stored, when the right edge of the tree gives the root that was signed and
 * the newest leaves are those it was made of; the rest of the entries is for `verifyLedger`.
 * @throws JackstayError `ledger_damaged` with the first leaf that is known to be wrong
 */
export async function checkStoredLog(log: StoredLog, vkey: string): Promise<CheckedLog> {
  const note = await log.checkpoint()
  if (note === undefined) throw damaged('it has no checkpoint')
  const opened = openCheckpoint(note, verifierFromVkey(vkey))
  if (!opened.ok) throw damaged(opened.problem)
  const { size, root } = opened.checkpoint
  const count = await log.leafCount()
  if (count < size)
    throw damaged(`leaf ${count} is missing, the checkpoint speaks of ${size} leaves`)
  if (count > size) throw damaged(`leaf ${size} is there, the checkpoint speaks of ${size} leaves`)
  await assertNewestLeaves(log, size)
  const frontier = await frontierFrom(size, readTileOf(log))
  if (!Buffer.from(rootOf(frontier)).equals(root)) {
    throw damaged(`the leaves 0 to ${size - 1} do not have the root that was signed`)
  }
  return { note, frontier }
}

/** @throws JackstayError `ledger_damaged` when one of the newest leaves is not its own */
async function assertNewestLeaves(log: StoredLog, size: number): Promise<void> {
  const pruned = (await log.pruned?.()) ?? 0
  const last = Math.ceil(size / tileWidth) - 1
  const oldest = Math.max(last - newestBundles + 1, Math.ceil(pruned / tileWidth), 0)
  for (let bundle = last; bundle >= oldest; bundle--) await assertBundle(log, bundle, size)
}

async function assertBundle(log: StoredLog, bundle: number, size: number): Promise<void> {
  const first = bundle * tileWidth
  const width = widthOf(0, bundle, size)
  const hashes = await log.hashes(0, bundle, width)
  if (hashes === undefined) throw missingTile(0, bundle)
  const stored = await log.entries(bundle, width)
  if (stored === undefined) {
    throw damaged(`one of the leaves ${first} to ${first + width - 1} is missing`)
  }
  const entries = decodeBundle(stored)
  if (entries?.length !== width) {
    throw damaged(`the leaves ${first} to ${first + width - 1} are not what is stored for them`)
  }
  for (const [i, entry] of entries.entries()) {
    if (Buffer.from(leafHash(entry)).equals(hashes.subarray(i * hashSize, (i + 1) * hashSize))) {
      continue
    }
    throw damaged(`leaf ${first + i} was changed`)
  }
  if (width < tileWidth) return
  const above = await log.hashes(1, Math.floor(bundle / tileWidth), (bundle % tileWidth) + 1)
  if (above === undefined) throw missingTile(1, Math.floor(bundle / tileWidth))
  if (Buffer.from(perfectRoot(hashes)).equals(above.subarray(-hashSize))) return
  throw damaged(`the leaves ${first} to ${first + width - 1} do not give the hash above them`)
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
  if (now.size < earlier.size) throw behind(now.size, earlier.size)
  const proof = await consistencyProof(earlier.size, now.size, readTileOf(log))
  const extends_ = verifyConsistency({
    from: earlier.size,
    to: now.size,
    fromRoot: earlier.root,
    toRoot: rootOf(now),
    proof,
  })
  if (!extends_) {
    throw damaged(`the leaves 0 to ${earlier.size - 1} are not the ones it had: it was rewritten`)
  }
}

/** The log is shorter than it was. */
export function behind(size: number, had: number): JackstayError {
  return damaged(
    `leaf ${size} is missing, it has held ${had} leaves: an old backup or a standby that had not caught up stands in its place`,
  )
}

/** Tiles that have to be there. */
export function readTileOf(log: Pick<StoredLog, 'hashes'>): ReadTile {
  return async (level, index, width) => {
    const tile = await log.hashes(level, index, width)
    if (tile === undefined) throw missingTile(level, index)
    return tile
  }
}

function missingTile(level: number, index: number): JackstayError {
  const leaf = index * tileWidth ** (level + 1)
  return damaged(
    `tile ${level}/${index} is missing, with the hashes of leaf ${leaf} and what follows`,
  )
}

export function damaged(what: string): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    `the ledger does not verify: ${what}; keep a copy of it, compare with \`jackstay ledger verify\` and a checkpoint kept elsewhere, then restore what is newest or begin a new log with \`jackstay ledger recover\``,
  )
}
