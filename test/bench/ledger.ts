import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { goProgram } from '@jackstay/cluster/go-program'
import { run } from '@jackstay/cluster/process'
import { inStep, type OnProgress } from '@jackstay/cluster/progress'
import { generateSkey } from '@jackstay/ledger/key'
import { encodeLeaf } from '@jackstay/ledger/leaf'
import { encodeBundle } from '@jackstay/ledger/tiles'
import { median } from './cpu.ts'
import { tessera } from './go-recipes.ts'
import { type AppendFigures, entry, type SizeFigures } from './ledger-ours.ts'
import { measureVerify } from './ledger-verify.ts'
import { rounded, table, whole } from './table.ts'

export interface LedgerOptions {
  /** Appended by 256 writers. */
  readonly leaves: number
  /** Appended by 64 writers, of which each waits. */
  readonly waits: number
  /** The same where each waits a quarter of a second. */
  readonly slowWaits: number
  /** Of the log that is proved from and verified. */
  readonly grow: number
  readonly rounds: number
  /** On the disk that is measured. */
  readonly directory: string
}

interface Appended {
  readonly perSecond: number
  readonly perCoreSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Log {
  readonly name: string
  append(leaves: number, writers: number): Promise<Appended>
  /** Whether its writers wait so long that few leaves must do. */
  readonly slow: boolean
}

const entryBytes = 2048
const ours = fileURLToPath(new URL('./ledger-ours.ts', import.meta.url))

/**
 * Jackstay's ledger beside Tessera's POSIX driver and its fsck: the same entries on the same disk,
 * each answered once it is synced, taking turns.
 *
 * @throws Error when the two verifiers do not agree about a good or a damaged log
 */
export async function measureLedger(
  options: LedgerOptions,
  onProgress: OnProgress,
): Promise<string> {
  const folder = await mkdtemp(join(options.directory, 'jackstay-ledger-bench-'))
  try {
    const logs = [jackstay(folder), ...(await tesseras(folder, onProgress))]
    const appends = await measureAppends(logs, options, onProgress)
    const exported = join(folder, 'exported')
    const size = await inStep(onProgress, `a log of ${whole(options.grow)} leaves`, () =>
      grow(folder, exported, options),
    )
    const verified = await measureVerify(exported, options, onProgress)
    return [await heading(options), appends, size, verified].join('\n')
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function heading({ directory, leaves, waits, rounds }: LedgerOptions): Promise<string> {
  const inMemory = (await statfs(directory)).type === 0x01021994
  const where = inMemory ? `${directory}, which is no disk: syncs cost nothing there` : directory
  return [
    `ledger: leaves of ${entryBytes} bytes in ${where}`,
    `  ${whole(leaves)} by 256 writers, ${whole(waits)} by 64, each waiting for each of its own to be synced;`,
    `  medians of ${rounds} rounds, taking turns, on all cores`,
  ].join('\n')
}

function jackstay(folder: string): Log {
  return {
    name: 'jackstay, SQLite',
    slow: false,
    async append(leaves, writers) {
      const load = ['--writers', String(writers), '--leaves', String(leaves)]
      const figures: AppendFigures = JSON.parse(await runOurs(folder, load))
      return figures
    },
  }
}

function runOurs(folder: string, args: readonly string[]): Promise<string> {
  return run([
    process.execPath,
    // as programs of ours are started: V8 otherwise doubles its young space now and then, for good
    '--max-semi-space-size=8',
    ours,
    '--json',
    '--dir',
    folder,
    '--bytes',
    `${entryBytes}`,
    ...args,
  ])
}

async function tesseras(folder: string, onProgress: OnProgress): Promise<Log[]> {
  const binary = await goProgram(tessera, onProgress)
  const [entries, key] = [join(folder, 'entries'), join(folder, 'key')]
  const leaves = Array.from({ length: 1024 }, (_, n) => encodeLeaf(entry(n, entryBytes)))
  await writeFile(entries, encodeBundle(leaves))
  await writeFile(key, generateSkey('jackstay.dev/bench'))
  const log = (name: string, slow: boolean, ...batching: string[]): Log => ({
    name: `Tessera ${tessera.version}, ${name}`,
    slow,
    async append(count, writers) {
      const directory = await mkdtemp(join(folder, 'tessera-'))
      const args = [directory, entries, key, String(count), String(writers), ...batching]
      const figures: TesseraFigures = JSON.parse(await run([binary, ...args]))
      await rm(directory, { recursive: true })
      return {
        perSecond: figures.leaves / figures.wallSeconds,
        perCoreSecond: figures.leaves / figures.cpuSeconds,
        p50Ms: figures.p50,
        p99Ms: figures.p99,
      }
    },
  })
  return [log('64 or 5 ms', false, '64', '5ms'), log('its defaults', true)]
}

/** What `go/tessera` prints. */
interface TesseraFigures {
  readonly leaves: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly p50: number
  readonly p99: number
}

async function measureAppends(
  logs: readonly Log[],
  options: LedgerOptions,
  onProgress: OnProgress,
): Promise<string> {
  const wide: Appended[][] = logs.map(() => [])
  const narrow: Appended[][] = logs.map(() => [])
  for (let round = 0; round < options.rounds; round++) {
    for (const [i, log] of logs.entries()) {
      await inStep(onProgress, `round ${round + 1}, ${log.name}`, async () => {
        wide[i]?.push(await log.append(options.leaves, 256))
        narrow[i]?.push(await log.append(log.slow ? options.slowWaits : options.waits, 64))
      })
    }
  }
  const of = (all: readonly Appended[] = [], field: keyof Appended) =>
    median(all.map((figures) => figures[field]))
  const base = of(wide[0], 'perCoreSecond')
  const rows = logs.map(({ name }, i) => [
    name,
    whole(of(wide[i], 'perCoreSecond')),
    rounded(base / of(wide[i], 'perCoreSecond')),
    whole(of(wide[i], 'perSecond')),
    rounded(of(narrow[i], 'p50Ms'), 1),
    rounded(of(narrow[i], 'p99Ms'), 1),
  ])
  return [
    table([
      ['', '256 writers: a core-second', 'ratio', 'a second', '64 writers: p50, ms', 'p99, ms'],
      ...rows,
    ]),
    '  ratio: jackstay over the other',
  ].join('\n')
}

/** One log of many leaves, that is then exported for both verifiers. */
async function grow(folder: string, exported: string, options: LedgerOptions): Promise<string> {
  const args = ['--writers', '0', '--grow', String(options.grow), '--export', exported]
  const figures: SizeFigures = JSON.parse(await runOurs(folder, args))
  return [
    `  with ${whole(figures.leaves)} leaves: inclusion proof p50 ${rounded(figures.proofP50Ms)} ms, p99 ${rounded(figures.proofP99Ms)} ms;`,
    `  resident ${whole(figures.rssMb)} MB, after a tenth of them ${whole(figures.rssEarlyMb)} MB`,
  ].join('\n')
}
