import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signCheckpoint } from '@jackstay/ledger/checkpoint'
import { exportTiles } from '@jackstay/ledger/export'
import type { LedgerKey } from '@jackstay/ledger/key'
import { loadOrCreateKey } from '@jackstay/ledger/key-file'
import { directoryReader, type TileReader } from '@jackstay/ledger/reader'
import { openStore, type Store } from '@jackstay/ledger/store'
import { encodeBundle, tileWidth } from '@jackstay/ledger/tiles'
import { emptyFrontier, extend, type Hash, leafHash, rootOf } from '@jackstay/ledger/tree'

export const origin = 'jackstay.dev/3f8e1c1e-0000-4000-8000-0000000000c0'

/** A real log: written through the store, handed out as the mediator hands it out. */
export interface RealLog extends AsyncDisposable {
  readonly root: string
  readonly key: LedgerKey
  readonly store: Store
  readonly entries: readonly Uint8Array[]
  grow(count: number): Promise<void>
  /** The log as a folder, unpruned. */
  export(name: string): Promise<string>
}

export async function realLog(): Promise<RealLog> {
  const root = await mkdtemp(join(tmpdir(), 'jackstay-conformance-'))
  const directory = join(root, 'data')
  const key = await loadOrCreateKey(directory, origin)
  const store = await openStore({ directory, origin, key, clock: Date })
  const entries: Uint8Array[] = []
  return {
    ...{ root, key, store, entries },
    async grow(count) {
      const leaves = Array.from({ length: count }, (_, i) => ({
        kind: 'decision' as const,
        data: { n: entries.length + i, time: '2026-11-01T00:00:00Z', text: 'é'.repeat(i % 50) },
      }))
      const { leafIndexes } = await store.appendLeaves(leaves)
      for (const index of leafIndexes) {
        const leaf = await store.leaf(index)
        if (leaf !== undefined) entries.push(leaf.bytes)
      }
    },
    async export(name) {
      const folder = join(root, name)
      await exportTiles(store, folder)
      return folder
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A log in memory; whoever has the key can sign any. */
export interface FreeLog {
  readonly checkpoint: string
  /** Root of the first `size` leaves. */
  root(size: number): Hash
  writeTo(folder: string): Promise<void>
}

export function freeLog(entries: readonly Uint8Array[], key: LedgerKey): FreeLog {
  const { frontier, hashes } = extend(emptyFrontier, entries.map(leafHash))
  const size = entries.length
  const checkpoint = signCheckpoint({ origin: key.name, size, root: rootOf(frontier) }, [key])
  const from = (index: number) => index * tileWidth
  return {
    checkpoint,
    root: (n) => rootOf(extend(emptyFrontier, entries.slice(0, n).map(leafHash)).frontier),
    async writeTo(folder) {
      await mkdir(folder, { recursive: true })
      const source = {
        checkpoint: async () => checkpoint,
        tile: async (level: number, index: number, width = tileWidth) => {
          const row = hashes.filter((h) => h.level === level)
          const part = row.slice(from(index), from(index) + width)
          return Buffer.concat(part.map(({ hash }) => hash))
        },
        entries: async (index: number, width = tileWidth) =>
          encodeBundle(entries.slice(from(index), from(index) + width)),
      }
      await exportTiles(source, folder)
    },
  }
}

export interface Forgery {
  readonly name: string
  readonly folder: string
  /** Consistent in itself, and signed with the log's own key. */
  readonly byOwner: boolean
}

/** T69 as folders, made from a good one of at least 300 leaves. */
export async function forgeriesOf(log: RealLog, good: string): Promise<readonly Forgery[]> {
  const { entries, key, root } = log
  const forged: Forgery[] = []
  const place = (name: string, byOwner: boolean) => {
    const folder = join(root, name.replaceAll(' ', '-'))
    forged.push({ name, folder, byOwner })
    return folder
  }
  const damaged = async (name: string, change: (folder: string) => Promise<void>) => {
    const folder = place(name, false)
    await cp(good, folder, { recursive: true })
    await change(folder)
  }
  await damaged('flipped tile byte', (folder) => flip(join(folder, 'tile', '0', '000'), 1000))
  await damaged('edited entry', (folder) => flip(join(folder, 'tile', 'entries', '000'), 40))
  await damaged('truncated tail', (folder) => {
    const width = entries.length % tileWidth
    return rm(join(folder, 'tile', 'entries', `001.p`, `${width}`))
  })
  const other = entries.map((_, i) => Buffer.from(`{"forged":${i}}`))
  const rewritten = {
    'truncated tail, signed': entries.slice(0, 250),
    'edited entry, signed': entries.with(7, Buffer.from('{}')),
    'fork, signed': [...entries.slice(0, 200), ...other.slice(200)],
    'full replacement, signed': other,
  }
  for (const [name, leaves] of Object.entries(rewritten)) {
    await freeLog(leaves, key).writeTo(place(name, true))
  }
  return forged
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 0x01
  await writeFile(path, bytes)
}

/** A folder of its own below the log's. */
export async function subfolder({ root }: RealLog, name: string): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  return folder
}

/** A forged log as something to read. */
export async function readerOf(
  log: RealLog,
  name: string,
  entries: readonly Uint8Array[],
): Promise<TileReader> {
  const folder = join(log.root, name.replaceAll(' ', '-'))
  await freeLog(entries, log.key).writeTo(folder)
  return directoryReader(folder)
}
