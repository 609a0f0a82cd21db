import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exportTiles } from '@jackstay/ledger/export'
import { generateSkey, ledgerKeyFrom } from '@jackstay/ledger/key'
import { openStore, type Store } from '@jackstay/ledger/store'
import { quantile } from './quantiles.ts'

/**
 * Leaves per second, per core-second (of all threads, the kernel's share included) and the time a
 * writer waits for a durable answer; with `--grow`, proofs and memory of a log of that many leaves,
 * which `--export` writes into a folder with its key.
 * `--json` prints one object for a table beside somebody else's log.
 */

export interface AppendFigures {
  readonly writers: number
  readonly entryBytes: number
  readonly leaves: number
  readonly perSecond: number
  readonly perCoreSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface SizeFigures {
  readonly leaves: number
  readonly proofP50Ms: number
  readonly proofP99Ms: number
  /** Resident memory after the first tenth of the leaves, and after all. */
  readonly rssEarlyMb: number
  readonly rssMb: number
}

interface Load {
  readonly writers: number
  readonly entryBytes: number
  /** Appended in all, one at a time by each writer. */
  readonly leaves: number
}

/** A store in a folder of `parent`, which must lie on the disk that is to be measured. */
async function withStore<T>(
  parent: string,
  work: (store: Store, vkey: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(parent, 'jackstay-bench-'))
  const key = ledgerKeyFrom(generateSkey('jackstay.dev/bench'))
  const store = await openStore({ directory, origin: key.name, key, clock: Date })
  try {
    return await work(store, key.vkey)
  } finally {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** An entry of about `bytes`: a flat text, as another log would be given opaque bytes. */
export function entry(
  n: number,
  bytes: number,
): { readonly kind: 'decision'; readonly data: string } {
  const frame = '{"data":"","kind":"decision","v":1}'.length
  return { kind: 'decision', data: `${n} `.padEnd(bytes - frame, 'jackstay') }
}

export async function measureAppends(store: Store, load: Load): Promise<AppendFigures> {
  const { writers, entryBytes, leaves } = load
  const waits: number[] = []
  let written = 0
  await each(writers, async () => store.appendLeaves([entry(written++, entryBytes)]))
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const end = written + leaves
  await each(writers, async () => {
    for (let at = performance.now(); written < end; ) {
      await store.appendLeaves([entry(written++, entryBytes)])
      const now = performance.now()
      waits.push(now - at)
      at = now
    }
  })
  const took = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const sorted = waits.sort((a, b) => a - b)
  return {
    writers,
    entryBytes,
    leaves: waits.length,
    perSecond: waits.length / took,
    perCoreSecond: (waits.length / (user + system)) * 1e6,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }
}

async function measureSize(store: Store, leaves: number, entryBytes: number): Promise<SizeFigures> {
  const width = 256
  let rssEarlyMb = 0
  for (let done = await store.size(); done < leaves; done += width) {
    const batch = Array.from({ length: Math.min(width, leaves - done) }, (_, i) =>
      entry(done + i, entryBytes),
    )
    await store.appendLeaves(batch)
    if (rssEarlyMb === 0 && done >= leaves / 10) rssEarlyMb = rssMb()
  }
  const size = await store.size()
  const waits: number[] = []
  for (let i = 0; i < 2000; i++) {
    const begun = performance.now()
    await store.inclusionProof(Math.floor((i * 0.618 * size) % size), size)
    waits.push(performance.now() - begun)
  }
  waits.sort((a, b) => a - b)
  return {
    leaves: size,
    proofP50Ms: quantile(waits, 0.5),
    proofP99Ms: quantile(waits, 0.99),
    rssEarlyMb,
    rssMb: rssMb(),
  }
}

async function each(writers: number, work: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: writers }, work))
}

function rssMb(): number {
  return process.memoryUsage.rss() / 1e6
}

function print(figures: AppendFigures | SizeFigures): void {
  const parts = Object.entries(figures).map(([name, value]) => `${name} ${round(value)}`)
  process.stdout.write(`${parts.join('  ')}\n`)
}

function round(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(2)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      writers: { type: 'string', default: '1,64,256' },
      bytes: { type: 'string', default: '2048' },
      leaves: { type: 'string', default: '100000' },
      grow: { type: 'string', default: '0' },
      export: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
    },
  })
  const show = values.json
    ? (one: AppendFigures | SizeFigures) => process.stdout.write(`${JSON.stringify(one)}\n`)
    : print
  const entryBytes = Number(values.bytes)
  const counts = values.writers.split(',').map(Number)
  for (const writers of counts.filter((count) => count > 0)) {
    const load = { writers, entryBytes, leaves: Number(values.leaves) }
    show(await withStore(values.dir, (store) => measureAppends(store, load)))
  }
  const grow = Number(values.grow)
  if (grow > 0) {
    await withStore(values.dir, async (store, vkey) => {
      show(await measureSize(store, grow, entryBytes))
      if (values.export === undefined) return
      await exportTiles(store, values.export)
      await writeFile(join(values.export, 'vkey'), vkey)
    })
  }
}
