import { type Checkpoint, openCheckpoint, openFormerCheckpoint } from './checkpoint.ts'
import { verifierFromVkey } from './note.ts'
import type { TileReader } from './reader.ts'
import { decodeBundle, encodeBundle, hashSize, tilePath, tileWidth, widthOf } from './tiles.ts'
import { emptyFrontier, extend, type Frontier, type Hash, leafHash, rootOf } from './tree.ts'

export type LedgerProblem =
  | 'checkpoint_missing'
  | 'checkpoint_invalid'
  | 'known_checkpoint_invalid'
  | 'entries_missing'
  | 'entries_malformed'
  | 'tile_missing'
  | 'leaf_changed'
  | 'tile_changed'
  | 'root_differs'
  | 'truncated'
  | 'forked'

export type LedgerVerdict =
  | {
      readonly ok: true
      readonly size: number
      /** Base64, as in the checkpoint. */
      readonly root: string
      /** The verified note. Keep it elsewhere and give it back as `knownCheckpoint` next time. */
      readonly checkpoint: string
    }
  | LedgerDefect

export interface LedgerDefect {
  readonly ok: false
  readonly problem: LedgerProblem
  readonly message: string
  /** The first leaf known to be wrong or missing. */
  readonly index?: number
}

export interface VerifyOptions {
  readonly read: TileReader
  /** `name+hash+base64`; the name is the log's origin. */
  readonly vkey: string
  /** An earlier checkpoint kept where the log's owner cannot change it. */
  readonly knownCheckpoint?: string
  /** Keys the log had before, whose signature the earlier checkpoint may carry (`followKeys`). */
  readonly formerVkeys?: readonly string[]
}

/**
 * Recomputes a whole log from its entries and compares everything stored with it: each leaf, each
 * tile, the signed root, and an earlier checkpoint. Nothing of the log is believed but what the
 * key signed, and without `knownCheckpoint` the key's owner is believed too: only a checkpoint
 * kept elsewhere shows a log that its owner cut or rewrote.
 * @throws JackstayError `invalid_config` for a malformed `vkey`; errors of the reader pass through.
 */
export async function verifyLedger(options: VerifyOptions): Promise<LedgerVerdict> {
  const { read, vkey, knownCheckpoint, formerVkeys = [] } = options
  const verifier = verifierFromVkey(vkey)
  const known =
    knownCheckpoint === undefined
      ? undefined
      : openFormerCheckpoint(knownCheckpoint, [...formerVkeys, vkey].map(verifierFromVkey))
  if (known?.ok === false) return defect('known_checkpoint_invalid', known.problem)
  const note = await read.checkpoint()
  if (note === undefined) return defect('checkpoint_missing', 'the log has no checkpoint')
  const opened = openCheckpoint(note, verifier)
  if (!opened.ok) return defect('checkpoint_invalid', opened.problem)
  const { checkpoint } = opened
  const earlier = known?.checkpoint
  if (earlier !== undefined && earlier.size > checkpoint.size) {
    return defect(
      'truncated',
      `the log has ${checkpoint.size} leaves and had ${earlier.size}`,
      checkpoint.size,
    )
  }
  const recomputation = new Recomputation(read, checkpoint.size, earlier)
  const wrong = await recomputation.run()
  if (wrong !== undefined) return wrong
  const root = base64(rootOf(recomputation.frontier))
  if (root !== base64(checkpoint.root)) {
    return defect('root_differs', 'the entries do not give the root that was signed')
  }
  return { ok: true, size: checkpoint.size, root, checkpoint: note }
}

/** Walks the entries from left to right, one bundle in memory, and checks each tile once full. */
class Recomputation {
  readonly #read: TileReader
  readonly #size: number
  readonly #earlier: Checkpoint | undefined
  /** The hashes each level should have beyond its last checked tile. */
  readonly #levels: Hash[][] = []
  frontier: Frontier = emptyFrontier

  constructor(read: TileReader, size: number, earlier: Checkpoint | undefined) {
    this.#read = read
    this.#size = size
    this.#earlier = earlier
  }

  async run(): Promise<LedgerDefect | undefined> {
    for (let index = 0; index * tileWidth < this.#size; index++) {
      const wrong = (await this.#bundle(index)) ?? (await this.#checkTiles(index))
      if (wrong !== undefined) return wrong
    }
    return this.#checkEarlier()
  }

  async #bundle(index: number): Promise<LedgerDefect | undefined> {
    const width = widthOf(0, index, this.#size)
    const first = index * tileWidth
    const bundle = await readTile(this.#read, 'entries', index, width)
    if (bundle === undefined) {
      const path = tilePath({ level: 'entries', index, width })
      return defect('entries_missing', `\`${path}\` is missing or too short`, first)
    }
    const entries = decodeBundle(bundle)
    if (entries?.length !== width) {
      return defect('entries_malformed', `entry bundle ${index} is not ${width} entries`, first)
    }
    for (const entry of entries) {
      const wrong = this.#checkEarlier()
      if (wrong !== undefined) return wrong
      const { frontier, hashes } = extend(this.frontier, [leafHash(entry)])
      this.frontier = frontier
      for (const { level, hash } of hashes) {
        const row = this.#levels[level] ?? []
        row.push(hash)
        this.#levels[level] = row
      }
    }
    return undefined
  }

  /** At the size the earlier checkpoint has, the root must be the one it has. */
  #checkEarlier(): LedgerDefect | undefined {
    const earlier = this.#earlier
    if (earlier?.size !== this.frontier.size) return undefined
    if (base64(rootOf(this.frontier)) === base64(earlier.root)) return undefined
    return defect(
      'forked',
      `the first ${earlier.size} leaves are not those of the known checkpoint`,
    )
  }

  /** Compares the tiles that bundle `index` completed; at the end of the log, all that are left. */
  async #checkTiles(index: number): Promise<LedgerDefect | undefined> {
    const atEnd = (index + 1) * tileWidth >= this.#size
    for (const [level, row] of this.#levels.entries()) {
      if (row.length === 0 || (row.length < tileWidth && !atEnd)) continue
      const count = Math.floor(this.frontier.size / tileWidth ** level)
      const position = Math.ceil(count / tileWidth) - 1
      const wrong = await this.#checkTile(level, position, row)
      if (wrong !== undefined) return wrong
      this.#levels[level] = []
    }
    return undefined
  }

  async #checkTile(
    level: number,
    index: number,
    row: readonly Hash[],
  ): Promise<LedgerDefect | undefined> {
    const path = tilePath({ level, index, width: row.length })
    const tile = await readTile(this.#read, level, index, row.length)
    const leavesPerHash = tileWidth ** level
    const first = index * tileWidth * leavesPerHash
    if (tile === undefined) return defect('tile_missing', `\`${path}\` is missing or short`, first)
    const at = row.findIndex(
      (hash, i) => !sameBytes(hash, tile.subarray(i * hashSize, (i + 1) * hashSize)),
    )
    if (at < 0) return undefined
    const leaf = first + at * leavesPerHash
    return level === 0
      ? defect('leaf_changed', `leaf ${leaf} is not the one in \`${path}\``, leaf)
      : defect('tile_changed', `\`${path}\` does not follow from the leaves below it`, leaf)
  }
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

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function defect(problem: LedgerProblem, message: string, index?: number): LedgerDefect {
  return { ok: false, problem, message, ...(index === undefined ? {} : { index }) }
}
