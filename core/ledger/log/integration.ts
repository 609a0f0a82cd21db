import { tileWidth, widthOf } from './tiles.ts'
import { extend, type Frontier, type Hash } from './tree.ts'

/** What a tile gains: `added` follows the `had` hashes it has already. */
export interface TileGrowth {
  readonly level: number
  readonly index: number
  readonly had: number
  readonly added: Uint8Array
}

export interface Integration {
  readonly frontier: Frontier
  readonly tiles: readonly TileGrowth[]
}

/** Takes new leaves, by their hashes, into the tree: its new frontier and the tiles that grow. */
export function integrate(frontier: Frontier, leaves: readonly Hash[]): Integration {
  const extension = extend(frontier, leaves)
  const touched = new Map<string, { level: number; index: number; hashes: Hash[] }>()
  for (const { level, position, hash } of extension.hashes) {
    const index = Math.floor(position / tileWidth)
    const tile = touched.get(`${level}/${index}`) ?? { level, index, hashes: [] }
    tile.hashes.push(hash)
    touched.set(`${level}/${index}`, tile)
  }
  const tiles = [...touched.values()].map(({ level, index, hashes }) => ({
    level,
    index,
    had: widthOf(level, index, frontier.size),
    added: Buffer.concat(hashes),
  }))
  return { frontier: extension.frontier, tiles }
}
