import { access, mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { type TileCoordinates, tilePath, tilesOf, tileWidth } from '../log/tiles.ts'
import type { Erasure, Store } from '../store/store.ts'

export interface Exported {
  readonly size: number
  /** Tiles and bundles written now; full ones from an earlier export are left as they are. */
  readonly written: number
}

type Source = Pick<Store, 'checkpoint' | 'tile' | 'entries'> & Partial<Pick<Erasure, 'minimum'>>

/** Leaves, `from` included, `to` not. */
export interface LeafRange {
  readonly from: number
  readonly to: number
}

/**
 * Writes the log as a folder in the C2SP layout, which a static web server can serve as it is.
 * The checkpoint comes last and by renaming, so a reader never sees one whose tiles are missing.
 * With a range only the entry bundles that hold a leaf of it are written; the hash tiles are always
 * whole, so that every proof can be made from the folder.
 */
export async function exportTiles(
  store: Source,
  directory: string,
  range?: LeafRange,
): Promise<Exported> {
  const checkpoint = await store.checkpoint()
  const size = Number(checkpoint.split('\n')[1])
  const minimum = (await store.minimum?.()) ?? 0
  let written = 0
  for (const tile of tilesOf(size)) {
    // what was pruned is not there to be written; an earlier export may still have it
    if (tile.level === 'entries' && tile.index * tileWidth < minimum) continue
    if (range !== undefined && tile.level === 'entries' && !overlaps(tile, range)) continue
    const path = join(directory, tilePath(tile))
    // A full tile never changes; a folder that somebody edited is for `verifyLedger` to find.
    if (tile.width === tileWidth && (await exists(path))) continue
    await replaceFile(path, await tileBytes(store, tile))
    written++
  }
  await replaceFile(join(directory, 'checkpoint'), Buffer.from(checkpoint))
  return { size, written }
}

function overlaps({ index, width }: TileCoordinates, { from, to }: LeafRange): boolean {
  const first = index * tileWidth
  return first < to && first + width > from
}

async function tileBytes(store: Source, tile: TileCoordinates): Promise<Uint8Array> {
  const { level, index, width } = tile
  const bytes =
    level === 'entries' ? await store.entries(index, width) : await store.tile(level, index, width)
  if (bytes !== undefined) return bytes
  throw new JackstayError(
    'ledger_damaged',
    `\`${tilePath(tile)}\` is missing from the store: stop and run \`jackstay ledger verify\``,
  )
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.new`
  {
    await using file = await open(temporary, 'w')
    await file.writeFile(bytes)
    await file.sync()
  }
  await rename(temporary, path)
}
