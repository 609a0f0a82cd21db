import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { visibleJson } from '@jackstay/contract/text'
import { z } from 'zod'
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts'
import { verifierFromVkey } from '../log/note.ts'
import { oldestLeaf } from '../log/oldest.ts'
import type { TileReader } from '../log/reader.ts'
import { decodeBundle, tileWidth, widthOf } from '../log/tiles.ts'
import { decodeLeaf } from '../store/leaf.ts'
import { timeOf } from '../store/retention.ts'
import { exportTiles, type LeafRange } from './export.ts'

/** What a bundle says of itself in `bundle.json`; nothing of it is believed when it is checked. */
export const bundleInfo = z.strictObject({
  v: z.literal(1),
  origin: z.string(),
  /** Leaves of the whole log, and its root in base64. */
  size: z.int().min(1),
  root: z.string(),
  /** The leaves that are in the bundle: `from` included, `to` not. */
  from: z.int().min(0),
  to: z.int().min(1),
})
export type BundleInfo = z.infer<typeof bundleInfo>

export const bundleInfoName = 'bundle.json'
export const leavesName = 'leaves.jsonl'
export const vkeyName = 'ledger.vkey'

export interface BundleOptions {
  readonly read: TileReader
  readonly vkey: string
  /** Must be empty or not exist. */
  readonly directory: string
  readonly from: number
  readonly to: number
  /** Called after each bundle of 256 leaves that was written out. */
  readonly onProgress?: (leaves: number) => void
  /** What stands beside a leaf: values that its commitments cover. One JSON object, or nothing. */
  readonly beside?: (index: number) => Promise<object | undefined>
}

/**
 * Hands out a part of a log so that a stranger can check it offline: entry bundles that hold the
 * leaves, every hash tile, the newest checkpoint, the verifier key, and the leaves as JSON lines
 * for people. The bundle holds whole tiles, so it may show up to 255 leaves more on either side.
 * @throws JackstayError `invalid_request` for a range the log does not have or a folder in use
 */
export async function writeBundle(options: BundleOptions): Promise<BundleInfo> {
  const { read, vkey, directory, from, to } = options
  const note = await read.checkpoint()
  if (note === undefined) throw new JackstayError('not_found', 'the log has no checkpoint yet')
  const checkpoint = opened(note, vkey)
  assertRange({ from, to }, checkpoint.size)
  await assertEmpty(directory)
  const source = {
    checkpoint: async () => note,
    tile: (level: number, index: number, width = tileWidth) => read.tile(level, index, width),
    entries: (index: number, width = tileWidth) => read.tile('entries', index, width),
  }
  await exportTiles(source, directory, { from, to })
  await writeText(join(directory, vkeyName), `${vkey}\n`)
  await writeLeaves(options, checkpoint.size)
  const { origin, size, root } = checkpoint
  const info: BundleInfo = { v: 1, origin, size, root: base64(root), from, to }
  await writeText(join(directory, 'README.txt'), readme(info))
  await writeText(join(directory, bundleInfoName), `${JSON.stringify(info, null, 2)}\n`)
  return info
}

/**
 * The leaves whose `data.time` lies between two instants, milliseconds since the epoch; leaves
 * without a time belong to the one before them. Empty ranges have `from` equal to `to`.
 */
export async function leavesBetween(
  read: TileReader,
  size: number,
  between: { readonly from?: number; readonly to?: number },
): Promise<LeafRange> {
  const start = between.from ?? Number.NEGATIVE_INFINITY
  const end = between.to ?? Number.POSITIVE_INFINITY
  let range: LeafRange | undefined
  let time = Number.NEGATIVE_INFINITY
  const all = { from: await oldestLeaf(read, size), to: size }
  for await (const { index, bytes } of entriesOf(read, size, all)) {
    time = timeOf(decodeLeaf(bytes)) ?? time
    if (time >= end) break
    if (time >= start) range = { from: range?.from ?? index, to: index + 1 }
  }
  return range ?? { from: 0, to: 0 }
}

async function* entriesOf(
  read: TileReader,
  size: number,
  { from, to }: LeafRange,
): AsyncGenerator<{ readonly index: number; readonly bytes: Uint8Array }> {
  for (let tile = Math.floor(from / tileWidth); tile * tileWidth < to; tile++) {
    const width = widthOf(0, tile, size)
    const bundle = await read.tile('entries', tile, width)
    const entries = bundle && decodeBundle(bundle)
    if (entries?.length !== width) {
      throw new JackstayError(
        'ledger_damaged',
        `leaves ${tile * tileWidth} to ${tile * tileWidth + width - 1} are missing; run \`jackstay ledger verify\``,
      )
    }
    for (const [i, bytes] of entries.entries()) {
      const index = tile * tileWidth + i
      if (index >= from && index < to) yield { index, bytes }
    }
  }
}

async function writeLeaves(options: BundleOptions, size: number): Promise<void> {
  const { read, directory, from, to, beside, onProgress } = options
  await using file = await open(join(directory, leavesName), 'wx', 0o600)
  for await (const { index, bytes } of entriesOf(read, size, { from, to })) {
    const values = await beside?.(index)
    const line = { index, ...decodeLeaf(bytes), ...(values !== undefined && { values }) }
    await file.write(`${visibleJson(line)}\n`)
    if (index % tileWidth === tileWidth - 1) onProgress?.(index + 1 - from)
  }
  await file.sync()
}

function opened(note: string, vkey: string): Checkpoint {
  const read = openCheckpoint(note, verifierFromVkey(vkey))
  if (read.ok) return read.checkpoint
  throw new JackstayError(
    'ledger_damaged',
    `the checkpoint does not verify with the given key: ${read.problem}`,
  )
}

function assertRange({ from, to }: LeafRange, size: number): void {
  const whole = Number.isSafeInteger(from) && Number.isSafeInteger(to)
  if (whole && 0 <= from && from < to && to <= size) return
  throw new JackstayError(
    'invalid_request',
    `the log has the leaves 0 to ${size - 1}; \`${from}\` to \`${to}\` (not included) is no part of it`,
  )
}

async function assertEmpty(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  if ((await readdir(directory)).length === 0) return
  throw new JackstayError(
    'invalid_request',
    `\`${directory}\` is not empty; name a new folder for the bundle`,
  )
}

async function writeText(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o644)
  await file.writeFile(text)
  await file.sync()
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function readme({ origin, size, root, from, to }: BundleInfo): string {
  return `Leaves ${from} to ${to - 1} of the log ${origin}.

checkpoint     what the log's owner signed: ${size} leaves, root ${root}
               (C2SP tlog-checkpoint; witnesses' cosignatures stand below the owner's)
ledger.vkey    the key it is signed with; compare it with the one you were given elsewhere
tile/          hash tiles of the whole log and the entry bundles that hold these leaves
               (C2SP tlog-tiles), in which the leaf hashes and every proof can be recomputed
leaves.jsonl   the same leaves as JSON, one a line, for people; the bytes in tile/entries count

Check it:      jackstay ledger verify --data . --key FILE
or with any verifier of C2SP logs, such as golang.org/x/mod/sumdb/tlog and note.
`
}
