import type { DiskOperation } from './disk-trace.ts'

/** What a directory holds after a crash. */
export interface DiskState {
  /** Operations that had been made. */
  readonly point: number
  readonly how: string
  /** The same for states that hold the same. */
  readonly key: string
  files(): ReadonlyMap<string, Buffer>
}

type Loss = Pick<DiskState, 'how' | 'key' | 'files'>

interface Change {
  readonly order: number
  readonly offset: number
  /** Absent for a truncation to `offset`. */
  readonly data?: Buffer
}

interface Inode {
  /** Tells apart what was ever durable. */
  version: number
  durable: Buffer
  /** Since its last sync. */
  changes: Change[]
}

/** What of the unsynced changes reaches the disk: all of one, none, or its first half. */
type Fate = (change: Change) => 'lost' | 'kept' | 'torn'

/** A directory as POSIX promises it: contents last from a file's sync on, names from the folder's. */
class Disk {
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  #order = 0

  apply({ kind, name, offset, data }: DiskOperation): void {
    const inode = this.#names.get(name)
    const order = this.#order++
    if (kind === 'create')
      this.#names.set(name, {
        ...{ version: order, durable: Buffer.alloc(0), changes: [] },
      })
    else if (kind === 'sync' && name === '') this.#durableNames = new Map(this.#names)
    else if (inode === undefined) throw new Error(`\`${name}\` was not there to ${kind}`)
    else if (kind === 'write') inode.changes.push({ order, offset, data })
    else if (kind === 'truncate') inode.changes.push({ order, offset })
    else {
      if (kind !== 'sync') this.#names.delete(name)
      if (kind === 'rename') this.#names.set(data.toString(), inode)
      if (kind === 'sync') {
        inode.durable = contentOf(inode, () => 'kept')
        inode.changes = []
        inode.version = order
      }
    }
  }

  /** Nobody has lost power: everything that was written is there. */
  killed(): Loss {
    return this.#loss('killed', this.#names, () => 'kept')
  }

  /** What power loss may leave, from the most likely on. */
  *lost(thorough: boolean): Generator<Loss> {
    const pending = [...this.#names.values()].flatMap(({ changes }) => changes)
    pending.sort((a, b) => a.order - b.order)
    const last = pending.at(-1)
    for (const [names, which] of [
      [this.#durableNames, 'old names'],
      [this.#names, 'new names'],
    ] as const) {
      yield this.#loss(`${which}, nothing unsynced`, names, () => 'lost')
      yield this.#loss(`${which}, everything`, names, () => 'kept')
      const torn: Fate = (change) => (change === last ? 'torn' : 'kept')
      yield this.#loss(`${which}, the last one torn`, names, torn)
    }
    for (const [i, one] of thorough ? pending.entries() : []) {
      const all = `of ${pending.length} unsynced`
      const only: Fate = (change) => (change === one ? 'kept' : 'lost')
      yield this.#loss(`only ${i} ${all}`, this.#names, only)
      const without: Fate = (change) => (change === one ? 'lost' : 'kept')
      yield this.#loss(`all but ${i} ${all}`, this.#names, without)
      const cut: Fate = (change) => (change === one ? 'torn' : 'kept')
      yield this.#loss(`${i} torn ${all}`, this.#names, cut)
    }
  }

  #loss(how: string, current: ReadonlyMap<string, Inode>, fate: Fate): Loss {
    const names = [...current].map(([name, inode]) => ({ name, inode: { ...inode } }))
    const kept = ({ changes }: Inode) =>
      changes.map((change) => (fate(change) === 'lost' ? '' : `${change.order}${fate(change)}`))
    const keys = names.map(
      ({ name, inode }) => `${name}:${inode.version}:${kept(inode).filter(Boolean)}`,
    )
    return {
      how,
      key: keys.join(';'),
      files: () => new Map(names.map(({ name, inode }) => [name, contentOf(inode, fate)])),
    }
  }
}

function contentOf({ durable, changes }: Inode, fate: Fate): Buffer {
  let content: Buffer = Buffer.from(durable)
  for (const change of changes) {
    const what = fate(change)
    if (what === 'lost') continue
    const { offset, data } = change
    if (data === undefined) content = resized(content, offset)
    else {
      const part = what === 'torn' ? data.subarray(0, data.length >> 1) : data
      content = resized(content, Math.max(content.length, offset + part.length))
      part.copy(content, offset)
    }
  }
  return content
}

function resized(content: Buffer, size: number): Buffer {
  if (content.length >= size) return content.subarray(0, size)
  return Buffer.concat([content], size)
}

/**
 * Every state in which a crash can leave the directory: at every point between two operations, by the
 * death of the process and by a loss of power, with the unsynced writes missing, alone, torn and out
 * of order, most thoroughly right before each sync.
 */
export function* crashStates(operations: readonly DiskOperation[]): Generator<DiskState> {
  const disk = new Disk()
  for (let point = 0; ; point++) {
    const next = operations[point]
    yield { point, ...disk.killed() }
    for (const loss of disk.lost(next === undefined || next.kind === 'sync')) {
      yield { point, ...loss, how: `power lost: ${loss.how}` }
    }
    if (next === undefined) return
    disk.apply(next)
  }
}
