import { openCheckpoint, openFormerCheckpoint } from '../log/checkpoint.ts'
import { defect, type LedgerDefect } from '../log/ledger-defect.ts'
import { isOfLog, verifierFromVkey } from '../log/note.ts'
import type { TileReader } from '../log/reader.ts'
import { decodeBundle, hashSize, tilePath, tileWidth, widthOf } from '../log/tiles.ts'
import {
  consistencyProof,
  frontierFrom,
  leafHash,
  perfectRoot,
  type ReadTile,
  rootOf,
  verifyConsistency,
} from '../log/tree.ts'
import type { LeafRange } from './export.ts'

export interface BundleVerifyOptions {
  readonly read: TileReader
  readonly vkey: string
  readonly range: LeafRange
  /** An earlier checkpoint kept elsewhere: the log must be its continuation. */
  readonly knownCheckpoint?: string
  /** Keys the log had before, whose signature the earlier checkpoint may carry (`followKeys`). */
  readonly formerVkeys?: readonly string[]
}

export type BundleVerdict =
  | {
      readonly ok: true
      readonly size: number
      /** Base64. */
      readonly root: string
      readonly checkpoint: string
      /** The leaves that were checked: those of whole tiles. */
      readonly from: number
      readonly to: number
      /** How many values came with the leaves and are those they commit to. */
      readonly values?: number
    }
  | LedgerDefect

/**
 * Checks a part of a log: every hash tile against the one above it and the signed root, every entry
 * of the range against its hash tile, and the log against an earlier checkpoint by a consistency
 * proof.
 * @throws JackstayError `invalid_config` for a malformed `vkey`; errors of the reader pass through.
 */
export async function verifyBundle(options: BundleVerifyOptions): Promise<BundleVerdict> {
  const { read, vkey, range, knownCheckpoint, formerVkeys = [] } = options
  const vkeys = [...formerVkeys.filter((former) => isOfLog(former, vkey)), vkey]
  const verifier = verifierFromVkey(vkey)
  const note = await read.checkpoint()
  if (note === undefined) return defect('checkpoint_missing', 'the bundle has no checkpoint')
  const opened = openCheckpoint(note, verifier)
  if (!opened.ok) return defect('checkpoint_invalid', opened.problem)
  const { size, root } = opened.checkpoint
  if (!(0 <= range.from && range.from < range.to && range.to <= size)) {
    return defect(
      'entries_missing',
      `the bundle claims the leaves ${range.from} to ${range.to - 1} of a log of ${size}`,
    )
  }
  const log = { size, root, tiles: tilesWithin(read, size) }
  try {
    const first = Math.floor(range.from / tileWidth)
    const wrong =
      (await treeDefect(log)) ??
      (await entriesDefect(first, range.to, read, log)) ??
      (await earlierDefect(knownCheckpoint, vkeys, log))
    if (wrong !== undefined) return wrong
    const to = Math.min(size, Math.ceil(range.to / tileWidth) * tileWidth)
    return { ok: true, size, root: base64(root), checkpoint: note, from: first * tileWidth, to }
  } catch (error) {
    if (error instanceof MissingTile) return defect('tile_missing', error.message)
    throw error
  }
}

interface Log {
  readonly size: number
  readonly root: Uint8Array
  readonly tiles: ReadTile
}

/** Every full tile gives the hash above it, and the right edge the signed root. */
async function treeDefect({ size, root, tiles }: Log): Promise<LedgerDefect | undefined> {
  for (let level = 0; widthOf(level + 1, 0, size) > 0; level++) {
    for (let index = 0; widthOf(level, index, size) === tileWidth; index++) {
      const above = await tiles(level + 1, Math.floor(index / tileWidth), (index % tileWidth) + 1)
      const below = perfectRoot(await tiles(level, index, tileWidth))
      if (Buffer.compare(below, above.subarray(-hashSize)) === 0) continue
      const path = tilePath({ level, index, width: tileWidth })
      const leaf = index * tileWidth ** (level + 1)
      return defect('tile_changed', `\`${path}\` does not give the hash above it`, leaf)
    }
  }
  if (Buffer.compare(rootOf(await frontierFrom(size, tiles)), root) === 0) return undefined
  return defect('root_differs', 'the hash tiles do not give the root that was signed')
}

async function entriesDefect(
  first: number,
  to: number,
  read: TileReader,
  log: Log,
): Promise<LedgerDefect | undefined> {
  for (let index = first; index * tileWidth < to; index++) {
    const wrong = await tileDefect(index, read, log)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

async function tileDefect(
  index: number,
  read: TileReader,
  { size, tiles }: Log,
): Promise<LedgerDefect | undefined> {
  const first = index * tileWidth
  const width = widthOf(0, index, size)
  const bundle = await read.tile('entries', index, width)
  if (bundle === undefined) {
    const path = tilePath({ level: 'entries', index, width })
    return defect('entries_missing', `\`${path}\` is missing`, first)
  }
  const entries = decodeBundle(bundle)
  if (entries?.length !== width) {
    return defect('entries_malformed', `entry bundle ${index} is not ${width} entries`, first)
  }
  const hashes = await tiles(0, index, width)
  for (const [i, entry] of entries.entries()) {
    const stored = hashes.subarray(i * hashSize, (i + 1) * hashSize)
    if (Buffer.compare(leafHash(entry), stored) === 0) continue
    const path = tilePath({ level: 0, index, width })
    return defect('leaf_changed', `leaf ${first + i} is not the one in \`${path}\``, first + i)
  }
  return undefined
}

async function earlierDefect(
  knownCheckpoint: string | undefined,
  vkeys: readonly string[],
  { size, root, tiles }: Log,
): Promise<LedgerDefect | undefined> {
  if (knownCheckpoint === undefined) return undefined
  const known = openFormerCheckpoint(knownCheckpoint, vkeys.map(verifierFromVkey))
  if (!known.ok) return defect('known_checkpoint_invalid', known.problem)
  const { size: from, root: fromRoot } = known.checkpoint
  if (from > size) {
    return defect('truncated', `the log has ${size} leaves and had ${from}`, size)
  }
  const proof = await consistencyProof(from, size, tiles)
  if (verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof })) return undefined
  return defect('forked', `the first ${from} leaves are not those of the known checkpoint`)
}

/** A folder may lack a tile; proofs ask for parts of it, and folders hold what the size says. */
class MissingTile extends Error {}

function tilesWithin(read: TileReader, size: number): ReadTile {
  return async (level, index, width) => {
    const has = widthOf(level, index, size)
    const tile = has < width ? undefined : await read.tile(level, index, has)
    if (tile?.length === has * hashSize) return tile.subarray(0, width * hashSize)
    throw new MissingTile(
      `\`${tilePath({ level, index, width: Math.max(1, has) })}\` is missing or has the wrong length`,
    )
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
