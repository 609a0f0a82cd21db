import { hash } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'

export const newestCheckpointName = 'newest.checkpoint'

/** One page of the disk for each, so that a torn write hits one alone. */
const slotBytes = 4096
const [synced, ...fresh] = [0, 1, 2]

export interface Remembered {
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/**
 * What the newest checkpoint was, remembered outside the database: an older copy of the database in
 * its place is found out. Written after every commit without a sync, which may lose the last ones
 * with the power and never gains any; `settle` makes what it has seen durable. Of the three places
 * one is always whole: the synced one is only written when the others are on the disk.
 *
 * Not signed: who can write here could also take the file away. A key that is rotated changes nothing.
 */
export class NewestCheckpoint {
  readonly #file: number
  #next = 0

  constructor(directory: string) {
    const path = join(directory, newestCheckpointName)
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    syncFolder(directory)
    ftruncateSync(this.#file, slotBytes * (1 + fresh.length))
  }

  /** The newest one that was written whole. */
  read(): Remembered | undefined {
    return [synced, ...fresh]
      .flatMap((slot = 0) => this.#get(slot) ?? [])
      .reduce<Remembered | undefined>(
        (newest, one) => (newest === undefined || one.size > newest.size ? one : newest),
        undefined,
      )
  }

  write(note: string): void {
    this.#put(fresh[this.#next] ?? 1, note)
    this.#next = (this.#next + 1) % fresh.length
  }

  settle(note: string): void {
    for (const slot of fresh) this.#put(slot, note)
    fsyncSync(this.#file)
    this.#put(synced ?? 0, note)
    fsyncSync(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }

  #get(slot: number): Remembered | undefined {
    const bytes = Buffer.alloc(slotBytes)
    readSync(this.#file, bytes, 0, slotBytes, slot * slotBytes)
    const text = bytes.toString('utf8', 0, Math.max(0, bytes.indexOf(0)))
    const [origin = '', size = '', root = '', ...rest] = text.split('\n')
    if (text !== sealed(`${origin}\n${size}\n${root}\n`) || rest.length !== 2) return undefined
    return { origin, size: Number(size), root: Buffer.from(root, 'base64') }
  }

  #put(slot: number, note: string): void {
    const bytes = Buffer.alloc(slotBytes)
    const text = sealed(note.slice(0, note.indexOf('\n\n') + 1))
    if (bytes.write(text) === slotBytes) {
      throw new JackstayError('internal', 'a checkpoint is too long to be remembered')
    }
    writeSync(this.#file, bytes, 0, slotBytes, slot * slotBytes)
  }
}

/** With its hash below, so that one that was cut by a crash is seen to be none. */
function sealed(text: string): string {
  return `${text}${hash('sha256', text)}\n`
}

/**
 * Without this a loss of power could take new names away, this file's and that of the write-ahead
 * log, where SQLite overlooks a folder that cannot be synced.
 */
function syncFolder(directory: string): void {
  const folder = openSync(directory, constants.O_RDONLY)
  fsyncSync(folder)
  closeSync(folder)
}
