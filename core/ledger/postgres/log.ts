import { JackstayError } from '@jackstay/contract/errors'
import { openCheckpoint, signCheckpoint } from '../log/checkpoint.ts'
import { integrate, type TileGrowth } from '../log/integration.ts'
import type { LedgerKey } from '../log/key.ts'
import { type Verifier, verifierFromVkey } from '../log/note.ts'
import { hashSize } from '../log/tiles.ts'
import { emptyFrontier, type Frontier, leafHash, rootOf } from '../log/tree.ts'
import type { PendingLeaf } from '../store/append-request.ts'
import { blob, integer, type Row, text } from '../store/rows.ts'
import { assertExtends, behind, damaged, type StoredLog } from '../store/stored-log.ts'

/** The row every writer locks, as it is written. */
export interface Head {
  readonly note: string
  readonly size: number
  /** The roots of the tree's perfect subtrees, one after the other. */
  readonly peaks: Uint8Array
}

/**
 * Where this program last saw the log. Other programs write to it as well, so each batch starts
 * from the row it has locked, which is believed only as far as the key signed it: the right edge
 * in it must give the signed root.
 */
export class PostgresLog {
  readonly #origin: string
  readonly #key: LedgerKey
  readonly #verifier: Verifier
  #seen: { readonly note: string; readonly frontier: Frontier } | undefined

  constructor(origin: string, key: LedgerKey) {
    this.#origin = origin
    this.#key = key
    this.#verifier = verifierFromVkey(key.vkey)
  }

  get size(): number {
    return this.#seen?.frontier.size ?? 0
  }

  /** What the head of a log without leaves says. */
  empty(): Head {
    return this.#sign(emptyFrontier)
  }

  /**
   * Reads the head's row, which must not be behind what this program has seen.
   * @throws JackstayError `ledger_damaged`; `invalid_config` where another key signs by now
   */
  adopt(row: Row): Frontier {
    if (row.vkey !== this.#key.vkey) throw anotherKey(row.vkey)
    const note = text(row, 'note')
    if (this.#seen?.note === note) return this.#seen.frontier
    const opened = openCheckpoint(note, this.#verifier)
    if (!opened.ok) throw damaged(opened.problem)
    const { size, root } = opened.checkpoint
    const frontier = { size, peaks: split(blob(row, 'peaks')) }
    if (integer(row, 'size') !== size || !Buffer.from(rootOf(frontier)).equals(root)) {
      throw damaged('its right edge does not have the root that was signed')
    }
    if (size < this.size) throw behind(size, this.size)
    if (size === this.size && this.#seen !== undefined) {
      throw damaged(`the leaves 0 to ${size - 1} are not the ones it had: it was rewritten`)
    }
    this.#seen = { note, frontier }
    return frontier
  }

  /**
   * After a lost connection another server may answer: the log there must extend what was seen.
   * @throws JackstayError `ledger_damaged`
   */
  async adoptAnew(row: Row, log: Pick<StoredLog, 'hashes'>): Promise<void> {
    const before = this.#seen?.frontier
    const frontier = this.adopt(row)
    if (before === undefined || before === frontier) return
    await assertExtends(log, frontier, { size: before.size, root: rootOf(before) })
  }

  /** The tree with new leaves: what to store, and the head that says so. */
  grow(
    frontier: Frontier,
    leaves: readonly PendingLeaf[],
  ): { readonly tiles: readonly TileGrowth[]; readonly frontier: Frontier; readonly head: Head } {
    const hashes = leaves.map(({ bytes }) => leafHash(bytes))
    const grown = integrate(frontier, hashes)
    return { ...grown, head: this.#sign(grown.frontier) }
  }

  committed(note: string, frontier: Frontier): void {
    if (frontier.size > this.size) this.#seen = { note, frontier }
  }

  #sign(frontier: Frontier): Head {
    const { size } = frontier
    const checkpoint = { origin: this.#origin, size, root: rootOf(frontier) }
    return {
      note: signCheckpoint(checkpoint, [this.#key]),
      size,
      peaks: Buffer.concat(frontier.peaks),
    }
  }
}

/** A rotation gave the log another key, or a recovery another log. */
function anotherKey(vkey: unknown): JackstayError {
  const now = typeof vkey === 'string' ? `is signed with \`${vkey}\` by now` : 'was given up'
  return new JackstayError(
    'invalid_config',
    `the ledger ${now}, and not with the key of this program: start again with the data directory that has the key`,
  )
}

function split(peaks: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(peaks.length / hashSize) }, (_, i) =>
    peaks.subarray(i * hashSize, (i + 1) * hashSize),
  )
}
