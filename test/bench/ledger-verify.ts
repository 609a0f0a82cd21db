import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { goProgram } from '@jackstay/cluster/go-program'
import { inStep, type OnProgress } from '@jackstay/cluster/progress'
import { tilePath, tileWidth } from '@jackstay/ledger/tiles'
import { median } from './cpu.ts'
import { fsck } from './go-recipes.ts'
import { rounded, table, whole } from './table.ts'
import { type Timed, timed } from './timed.ts'
import type { VerifyFigures } from './verify-ours.ts'

interface Verifier {
  readonly name: string
  /** What it found, in words that two of them can be compared by. */
  check(): Promise<{ readonly found: string; readonly took: Timed }>
}

const ours = fileURLToPath(new URL('./verify-ours.ts', import.meta.url))
const rejected = 'rejected'

/**
 * Our `verifyLedger` and Tessera's fsck over the same exported files, taking turns; then over the
 * same files with one byte of an entry changed.
 */
export async function measureVerify(
  directory: string,
  { grow, rounds }: { readonly grow: number; readonly rounds: number },
  onProgress: OnProgress,
): Promise<string> {
  const program = await goProgram(fsck, onProgress)
  const verifiers = [
    jackstay(directory),
    tesseraFsck(program, directory, 'its fsck', {}),
    tesseraFsck(program, directory, 'its fsck on one core', { GOMAXPROCS: '1' }),
  ]
  const took: Timed[][] = verifiers.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const found: string[] = []
    for (const [i, verifier] of verifiers.entries()) {
      const step = `round ${round + 1}, ${verifier.name}`
      const result = await inStep(onProgress, step, () => verifier.check())
      found.push(result.found)
      took[i]?.push(result.took)
    }
    assertSame(verifiers, found, (words) => words !== rejected)
  }
  await damage(directory, grow)
  // a worker of it ends with the first wrong tile, and without others it then waits for ever
  const many = [jackstay(directory), tesseraFsck(program, directory, 'its fsck', {}, ['-N', '8'])]
  const found: string[] = []
  for (const verifier of many) found.push((await verifier.check()).found)
  assertSame(many, found, (words) => words === rejected)
  return report(verifiers, took, grow)
}

function jackstay(directory: string): Verifier {
  return {
    name: 'jackstay ledger verify',
    async check() {
      const took = await timed([process.execPath, ours, directory])
      const { ok, size, root }: VerifyFigures = JSON.parse(took.stdout)
      return { found: ok ? `${size} leaves, root ${root}` : rejected, took }
    },
  }
}

/** Its exit code is 0 even for a damaged log; what it found stands in its words. */
function tesseraFsck(
  program: string,
  directory: string,
  name: string,
  environment: NodeJS.ProcessEnv,
  more: readonly string[] = [],
): Verifier {
  const args = ['-storage_url', `file://${directory}/`, '-public_key', join(directory, 'vkey')]
  return {
    name: `Tessera ${fsck.version}, ${name}`,
    async check() {
      const took = await timed([program, ...args, '-ui=false', ...more], environment)
      const good = /Successfully fsck'd log with size (\d+) and root (\S+)/.exec(took.stderr)
      const failed = took.stderr.includes('fsck failed')
      if ((good === null) !== failed)
        throw new Error(`fsck says neither yes nor no: ${took.stderr}`)
      return { found: good === null ? rejected : `${good[1]} leaves, root ${good[2]}`, took }
    },
  }
}

function assertSame(
  verifiers: readonly Verifier[],
  found: readonly string[],
  right: (found: string) => boolean,
): void {
  if (new Set(found).size === 1 && found.every(right)) return
  const said = verifiers.map(({ name }, i) => `${name}: ${found[i]}`).join('; ')
  throw new Error(`the verifiers are wrong or differ: ${said}`)
}

/** The last byte of the first bundle. */
async function damage(directory: string, leaves: number): Promise<void> {
  const width = Math.min(leaves, tileWidth)
  const path = join(directory, tilePath({ level: 'entries', index: 0, width }))
  const bytes = await readFile(path)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  await writeFile(path, bytes)
}

function report(verifiers: readonly Verifier[], took: readonly Timed[][], leaves: number): string {
  const of = (i: number, field: 'wallSeconds' | 'cpuSeconds') =>
    median((took[i] ?? []).map((one) => one[field]))
  const rows = verifiers.map(({ name }, i) => [
    name,
    rounded(of(i, 'wallSeconds')),
    rounded(of(0, 'wallSeconds') / of(i, 'wallSeconds')),
    rounded(of(i, 'cpuSeconds')),
    rounded(of(0, 'cpuSeconds') / of(i, 'cpuSeconds')),
  ])
  return [
    `  the whole log of ${whole(leaves)} leaves verified from files; all find the same root, and a changed byte`,
    table([['', 'wall, s', 'ratio', 'CPU, s', 'ratio'], ...rows]),
  ].join('\n')
}
