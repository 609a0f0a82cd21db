import { hashSize, tileWidth } from './tiles.ts'
import { type Hash, peaksOf, perfectRoot, rootOf } from './tree.ts'

/** The hashes that a tile of the tree must hold, one after the other. */
export interface ExpectedTile {
  readonly level: number
  readonly index: number
  readonly hashes: Uint8Array
}

interface Row {
  /** Of the tile that this row is filling. */
  index: number
  hashes: Uint8Array
}

const nothing = new Uint8Array(0)

/**
 * A tree that grows by whole bundles: at each level only the hashes beyond its last full tile are
 * kept, so its memory grows with the height of the tree alone.
 */
export class TreeRows {
  readonly #rows: Row[] = []

  /**
   * Adds the leaf hashes of the next bundle; only the last one may be partial.
   * @returns the tiles that it made full, the lowest level first
   */
  append(leaves: Uint8Array): readonly ExpectedTile[] {
    const full: ExpectedTile[] = []
    let added = leaves
    for (let level = 0; added.length > 0; level++) {
      const row = this.#row(level)
      row.hashes = Buffer.concat([row.hashes, added])
      added = nothing
      if (row.hashes.length < tileWidth * hashSize) continue
      full.push({ level, ...row })
      added = perfectRoot(row.hashes)
      row.index += 1
      row.hashes = nothing
    }
    return full
  }

  /** The tiles at the right edge that are not full. */
  partial(): readonly ExpectedTile[] {
    return this.#rows
      .map((row, level) => ({ level, ...row }))
      .filter(({ hashes }) => hashes.length > 0)
  }

  /** The root of what was appended, followed by `more` leaf hashes of a bundle that was not. */
  root(more: Uint8Array = nothing): Hash {
    const [lowest = { index: 0, hashes: nothing }, ...upper] = this.#rows
    const rows = [{ ...lowest, hashes: Buffer.concat([lowest.hashes, more]) }, ...upper]
    const peaks = rows.toReversed().flatMap(({ hashes }) => peaksOf(hashes))
    return rootOf({ peaks })
  }

  #row(level: number): Row {
    const row = this.#rows[level] ?? { index: 0, hashes: nothing }
    this.#rows[level] = row
    return row
  }
}
