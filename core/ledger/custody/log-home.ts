import type { LedgerKey } from '../log/key.ts'
import type { TileReader } from '../log/reader.ts'
import { postgresHome } from '../postgres/home.ts'
import { sqliteHome } from '../sqlite/home.ts'
import { type LedgerPlace, urlOf } from '../store/place.ts'
import type { Successor } from './superseded.ts'

/** What changing the key of a log, or giving the log up, needs of wherever it lies. */
export interface LogHome {
  /**
   * Keeps every other mediator away until it is disposed of; in a data directory, everybody who writes.
   * @throws JackstayError `not_ready` while another process writes
   */
  lock(): Promise<AsyncDisposable>
  /** The verifier key it is signed with; undefined where no log lies there, or one that was given up. */
  signedWith(): Promise<string | undefined>
  /**
   * Has both keys sign the newest checkpoint, and from then on the new one alone, at once.
   * @returns that checkpoint
   */
  handOver(old: LedgerKey, next: LedgerKey): Promise<string>
  /** Undefined where the store is so damaged that nothing can be read of it. */
  read<T>(use: (read: TileReader) => Promise<T>): Promise<T | undefined>
  /** Intents that had not ended, as far as the store can be read. */
  underWay(): Promise<readonly string[]>
  /** The log that has followed this one, where a recovery gave it up. */
  successor(): Promise<Successor | undefined>
  /**
   * From then on nobody writes to it again.
   * @throws JackstayError `not_ready` where its checkpoint is not `seen` any more: somebody wrote meanwhile
   */
  giveUp(to: Successor, seen: string | undefined): Promise<void>
}

/** The log of a data directory, or of the database that holds it. */
export async function logHome(place: LedgerPlace): Promise<LogHome> {
  const url = await urlOf(place)
  return url === undefined
    ? sqliteHome(place.dataDir)
    : postgresHome({ url, schema: place.ledgerSchema })
}
