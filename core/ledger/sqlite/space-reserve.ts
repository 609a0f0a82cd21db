import { closeSync, openSync, statfsSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isNoSpace } from './failure.ts'

/** Enough for some hundred undos with their events and outcomes. */
const defaultReserveBytes = 8 * 1024 * 1024
const name = 'space.reserve'
const chunk = Buffer.alloc(64 * 1024, 0x2e)
/** What the database needs to be opened at all. */
const leastBytes = 1024 * 1024

/**
 * Space of the disk that is kept for undo, outcomes and suspensions: a file of that size, given back
 * to the disk when it is full. Written, not only named: a file with a hole in it reserves nothing.
 */
export class SpaceReserve {
  readonly #directory: string
  readonly #bytes: number

  constructor(directory: string, bytes = defaultReserveBytes) {
    this.#directory = directory
    this.#bytes = bytes
  }

  /** Sets the space aside unless it is; false when the disk has no room for that, or not much more. */
  keep(): boolean {
    if (this.#size() === this.#bytes) return true
    const { bavail, bsize } = statfsSync(this.#directory)
    return bavail * bsize > 2 * this.#bytes && this.#write()
  }

  /** Before the database is opened, which needs a little room for its index. */
  releaseWhenFull(): void {
    const { bavail, bsize } = statfsSync(this.#directory)
    if (bavail * bsize < leastBytes) this.release()
  }

  /** Gives the space back; false when there was none. */
  release(): boolean {
    if (this.#size() === undefined) return false
    unlinkSync(this.#path())
    return true
  }

  #write(): boolean {
    try {
      const file = openSync(this.#path(), 'w', 0o600)
      try {
        for (let at = 0; at < this.#bytes; at += chunk.length) writeSync(file, chunk)
      } finally {
        closeSync(file)
      }
      return true
    } catch (error) {
      if (!isNoSpace(error)) throw error
      this.release()
      return false
    }
  }

  #path(): string {
    return join(this.#directory, name)
  }

  #size(): number | undefined {
    return statSync(this.#path(), { throwIfNoEntry: false })?.size
  }
}
