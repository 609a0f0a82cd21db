import { statSync } from 'node:fs'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { databaseName } from './database.ts'
import { NewestCheckpoint, newestCheckpointName, type Remembered } from './newest-checkpoint.ts'
import { SpaceReserve } from './space-reserve.ts'

/** What lies beside the database in the directory of a store. */
export class StoreFiles {
  readonly #newest: NewestCheckpoint
  readonly #reserve: SpaceReserve
  readonly #files: readonly { readonly path: string; readonly inode: number | undefined }[]

  /** After the database was opened: which files are the store's is what this finds there. */
  constructor(directory: string, reserveBytes?: number) {
    this.#newest = new NewestCheckpoint(directory)
    this.#reserve = new SpaceReserve(directory, reserveBytes)
    this.#files = [databaseName, `${databaseName}-wal`, newestCheckpointName].map((name) => {
      const path = join(directory, name)
      return { path, inode: inodeOf(path) }
    })
  }

  remembered(): Remembered | undefined {
    return this.#newest.read()
  }

  remember(note: string): void {
    this.#newest.write(note)
  }

  /** Makes durable what is remembered. */
  settle(note: string): void {
    this.#newest.settle(note)
  }

  /** True when the space for undo, outcomes and suspensions is there. */
  keepSpace(): boolean {
    return this.#reserve.keep()
  }

  releaseSpace(): boolean {
    return this.#reserve.release()
  }

  /**
   * SQLite goes on writing to files that somebody has removed or replaced, and they end with the
   * process: what was written to them must not be acknowledged.
   * @throws JackstayError `ledger_damaged`
   */
  assertInPlace(): void {
    for (const { path, inode } of this.#files) {
      if (inodeOf(path) === inode) continue
      throw new JackstayError(
        'ledger_damaged',
        `\`${path}\` was removed or replaced under the running program: put the directory back as it was, or go on with \`jackstay ledger recover\``,
      )
    }
  }

  close(): void {
    this.#newest.close()
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}
