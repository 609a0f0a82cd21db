import { openCheckpoint, openFormerCheckpoint, readCheckpoint } from '../log/checkpoint.ts'
import { followKeys } from '../log/follow-keys.ts'
import { defect, type LedgerDefect } from '../log/ledger-defect.ts'
import { tilesOfSize } from '../log/log-tiles.ts'
import { splitNote, verifierFromVkey } from '../log/note.ts'
import { baseOf, generationOf } from '../log/origin.ts'
import type { TileReader } from '../log/reader.ts'
import { decodeBundle, tileWidth, widthOf } from '../log/tiles.ts'
import { consistencyProof, verifyConsistency } from '../log/tree.ts'
import { decodeLeaf } from '../store/leaf.ts'

/**
 * Whether a log still contains everything that a checkpoint kept elsewhere says, from hash tiles
 * alone: fast enough for every start. Undefined when it does. A checkpoint of the log that this one
 * followed after a recovery says nothing about this one: its first leaf does.
 */
export async function contradiction(
  read: TileReader,
  vkey: string,
  kept: string,
): Promise<LedgerDefect | undefined> {
  const now = openCheckpoint((await read.checkpoint()) ?? '', verifierFromVkey(vkey))
  if (!now.ok) return defect('checkpoint_invalid', now.problem)
  const { origin, size, root } = now.checkpoint
  const about = readCheckpoint(splitNote(kept)?.text ?? '')
  if (!about.ok) return defect('known_checkpoint_invalid', about.problem)
  const other = about.checkpoint.origin
  if (other !== origin && baseOf(other) === baseOf(origin)) {
    if (generationOf(other) < generationOf(origin)) return undefined
    return defect('truncated', `\`${other}\` had followed this log`)
  }
  const earlier = openCheckpoint(kept, verifierFromVkey(vkey))
  const known = earlier.ok ? earlier : await openWithFormerKeys(read, size, vkey, kept)
  if (!known.ok) return defect('known_checkpoint_invalid', known.problem)
  const { checkpoint } = known
  if (checkpoint.size > size) {
    return defect('truncated', `the log has ${size} leaves and had ${checkpoint.size}`, size)
  }
  const proof = await consistencyProof(checkpoint.size, size, tilesOfSize(read, size))
  const fromRoot = checkpoint.root
  if (verifyConsistency({ from: checkpoint.size, to: size, fromRoot, toRoot: root, proof })) {
    return undefined
  }
  return defect(
    'forked',
    `the first ${checkpoint.size} leaves are not those of the checkpoint that was kept`,
  )
}

/** Keys that rotations in the log itself hand down to the one in force. */
async function openWithFormerKeys(read: TileReader, size: number, vkey: string, kept: string) {
  const former: string[] = []
  for (const candidate of await rotatedAway(read, size)) {
    if ((await followKeys(read, size, candidate)).includes(vkey)) former.push(candidate)
  }
  return openFormerCheckpoint(kept, [...former, vkey].map(verifierFromVkey))
}

const marker = Buffer.from('"kind":"rotation"')

async function rotatedAway(read: TileReader, size: number): Promise<readonly string[]> {
  const keys = new Set<string>()
  for (let index = 0; index * tileWidth < size; index++) {
    const bundle = await read.tile('entries', index, widthOf(0, index, size))
    if (bundle === undefined || !Buffer.from(bundle).includes(marker)) continue
    for (const entry of decodeBundle(bundle) ?? []) {
      if (!Buffer.from(entry).includes(marker)) continue
      const { kind, data } = decodeLeaf(entry)
      if (kind !== 'rotation' || data === null || typeof data !== 'object') continue
      if ('from' in data && typeof data.from === 'string') keys.add(data.from)
    }
  }
  return [...keys]
}
