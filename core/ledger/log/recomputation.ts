import { bundleHashes } from './bundle-hashes.ts'
import type { Checkpoint } from './checkpoint.ts'
import { defect, type LedgerDefect } from './ledger-defect.ts'
import { PruneCover } from './prune-cover.ts'
import { inOrder } from './read-ahead.ts'
import type { TileReader } from './reader.ts'
import { decodeBundle, encodeBundle, hashSize, tilePath, tileWidth, widthOf } from './tiles.ts'
import type { Hash } from './tree.ts'
import { type ExpectedTile, TreeRows } from './tree-rows.ts'

/** A bundle and the tile of its hashes, as they were read. */
interface Stored {
  readonly index: number
  readonly width: number
  readonly bundle: Uint8Array | undefined
  readonly hashes: Uint8Array | undefined
}

/** Bundles that are read while another one is hashed; with the tiles about half a megabyte each. */
const ahead = 4

/** Walks the entries from left to right, a few bundles in memory, and checks each tile once full. */
export class Recomputation {
  readonly #read: TileReader
  readonly #size: number
  readonly #earlier: Checkpoint | undefined
  readonly #rows = new TreeRows()
  readonly #cover = new PruneCover()

  constructor(read: TileReader, size: number, earlier: Checkpoint | undefined) {
    this.#read = read
    this.#size = size
    this.#earlier = earlier
  }

  /** The root of all leaves, once `run` has found nothing. */
  root(): Hash {
    return this.#rows.root()
  }

  async run(): Promise<LedgerDefect | undefined> {
    const bundles = Math.ceil(this.#size / tileWidth)
    for await (const stored of inOrder(bundles, ahead, (index) => this.#stored(index))) {
      const wrong = await this.#check(stored)
      if (wrong !== undefined) return wrong
    }
    for (const tile of this.#rows.partial()) {
      // the partial tile of leaf hashes came with its bundle
      const wrong = tile.level === 0 ? undefined : await this.#checkUpper(tile)
      if (wrong !== undefined) return wrong
    }
    return this.#earlier?.size === this.#size ? this.#checkEarlier(new Uint8Array(0)) : undefined
  }

  async #stored(index: number): Promise<Stored> {
    const width = widthOf(0, index, this.#size)
    const [bundle, hashes] = await Promise.all([
      readTile(this.#read, 'entries', index, width),
      readTile(this.#read, 0, index, width),
    ])
    return { index, width, bundle, hashes }
  }

  async #check(stored: Stored): Promise<LedgerDefect | undefined> {
    const { index, width, bundle } = stored
    const first = index * tileWidth
    if (bundle === undefined && !this.#isPruned(stored)) {
      const path = tilePath({ level: 'entries', index, width })
      return defect('entries_missing', `\`${path}\` is missing or too short`, first)
    }
    if (bundle !== undefined) this.#cover.see(first, bundle)
    const leaves = bundle === undefined ? stored.hashes : bundleHashes(bundle, width)
    if (leaves === undefined) {
      return defect('entries_malformed', `entry bundle ${index} is not ${width} entries`, first)
    }
    const before = (this.#earlier?.size ?? -1) - first
    const forked =
      before >= 0 && before < width
        ? this.#checkEarlier(leaves.subarray(0, before * hashSize))
        : undefined
    if (forked !== undefined) return forked
    const wrong = compare({ level: 0, index, hashes: leaves }, stored.hashes)
    if (wrong !== undefined) return wrong
    for (const tile of this.#rows.append(leaves)) {
      const wrong = tile.level === 0 ? undefined : await this.#checkUpper(tile)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  /** Where the oldest bundles are gone the hash tile stands for them: the root shows if it may. */
  #isPruned({ index, width, hashes }: Stored): boolean {
    return hashes !== undefined && width === tileWidth && this.#cover.miss(index * tileWidth, width)
  }

  /** How far the log was pruned, once `run` has found nothing, and which leaf says so. */
  pruned(): ReturnType<PruneCover['covering']> {
    return this.#cover.covering(
      async (level, index, width) =>
        (await readTile(this.#read, level, index, width)) ?? new Uint8Array(0),
    )
  }

  /** With these leaves the tree has the size of the earlier checkpoint and must have its root. */
  #checkEarlier(leaves: Uint8Array): LedgerDefect | undefined {
    const { size, root } = this.#earlier ?? { size: 0, root: new Uint8Array(0) }
    if (Buffer.compare(this.#rows.root(leaves), root) === 0) return undefined
    return defect('forked', `the first ${size} leaves are not those of the known checkpoint`)
  }

  async #checkUpper(tile: ExpectedTile): Promise<LedgerDefect | undefined> {
    const { level, index, hashes } = tile
    return compare(tile, await readTile(this.#read, level, index, hashes.length / hashSize))
  }
}

function compare(
  { level, index, hashes }: ExpectedTile,
  stored: Uint8Array | undefined,
): LedgerDefect | undefined {
  const path = tilePath({ level, index, width: hashes.length / hashSize })
  const leavesPerHash = tileWidth ** level
  const first = index * tileWidth * leavesPerHash
  if (stored === undefined) return defect('tile_missing', `\`${path}\` is missing or short`, first)
  if (Buffer.compare(hashes, stored) === 0) return undefined
  const differs = hashes.findIndex((byte, i) => byte !== stored[i])
  const leaf = first + Math.floor(differs / hashSize) * leavesPerHash
  return level === 0
    ? defect('leaf_changed', `leaf ${leaf} is not the one in \`${path}\``, leaf)
    : defect('tile_changed', `\`${path}\` does not follow from the leaves below it`, leaf)
}

/** A tile of this width, taken from the full one where the log dropped the partial one. */
async function readTile(
  read: TileReader,
  level: number | 'entries',
  index: number,
  width: number,
): Promise<Uint8Array | undefined> {
  const exact = await read.tile(level, index, width)
  const wider = exact ?? (width < tileWidth ? await read.tile(level, index, tileWidth) : undefined)
  if (level !== 'entries') {
    const bytes = wider?.subarray(0, width * hashSize)
    return bytes?.length === width * hashSize ? bytes : undefined
  }
  if (exact !== undefined || wider === undefined) return exact
  const entries = decodeBundle(wider)
  return entries === undefined ? wider : encodeBundle(entries.slice(0, width))
}
