import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { table } from './table.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const lookMs = 100

interface Figures {
  /** Until something breaks, in seconds. */
  readonly upAfter: number
  /** Until the log is verified and everything is stopped, in seconds. */
  readonly wholeAfter: number
  /** The most that all of its processes held at one time, npm's included. */
  readonly peakMb: number
}

/**
 * `npm start -- --once` in the cluster of its own process, beside the same story on a real one, where this
 * machine can run one. @throws Error when a story does not end well
 */
export async function measureQuickstart(options: {
  readonly runs: number
  readonly real: boolean
}): Promise<string> {
  const lab: Figures[] = []
  for (let n = 0; n < options.runs; n += 1) lab.push(await measured(['--once']))
  const real = options.real ? [await measured(['--once', '--cluster=real'])] : []
  const line = (name: string, all: readonly Figures[]) => {
    const worst = (of: (one: Figures) => number) => Math.max(...all.map(of))
    return [
      name,
      worst(({ upAfter }) => upAfter).toFixed(1),
      worst(({ wholeAfter }) => wholeAfter).toFixed(1),
      worst(({ peakMb }) => peakMb).toFixed(0),
    ]
  }
  return [
    `npm start -- --once, the worst of ${options.runs}; memory shared by processes counted once`,
    table([
      ['', 's until it breaks', 's in all', 'MB at most'],
      line('in its own process', lab),
      ...(real.length > 0 ? [line('--cluster=real', real)] : []),
    ]),
  ].join('\n')
}

async function measured(flags: readonly string[]): Promise<Figures> {
  const startedAt = performance.now()
  const child = spawn('npm', ['start', '--', ...flags], { cwd: root, stdio: 'pipe' })
  let output = ''
  let upAfter = Number.NaN
  let peakMb = 0
  const seconds = () => (performance.now() - startedAt) / 1000
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (Number.isNaN(upAfter) && output.includes('\n3. ')) upAfter = seconds()
    })
  }
  const timer = setInterval(() => {
    const cluster = output.match(/clusters\/demo-[0-9a-f]+/)?.[0]
    peakMb = Math.max(peakMb, memoryOf(child.pid ?? 0, cluster))
  }, lookMs)
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearInterval(timer)
  if (code !== 0)
    throw new Error(`\`npm start -- ${flags.join(' ')}\` ended with ${code}:\n${output}`)
  return { upAfter, wholeAfter: seconds(), peakMb }
}

/** Of a process and all below it, in MB, each page divided by how many share it (proc(5), smaps_rollup). */
function memoryOf(pid: number, alsoNamed: string | undefined): number {
  const parents = new Map<number, number>()
  const named: number[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readOrNone(`/proc/${name}/stat`)
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    if (alsoNamed !== undefined && readOrNone(`/proc/${name}/cmdline`).includes(alsoNamed)) {
      named.push(Number(name))
    }
  }
  const isBelow = (one: number | undefined): boolean =>
    one !== undefined && one > 0 && (one === pid || isBelow(parents.get(one)))
  const all = new Set([...named, ...[...parents.keys()].filter(isBelow)])
  const kb = [...all].map((one) => {
    const text = readOrNone(`/proc/${one}/smaps_rollup`)
    return Number(text.match(/^Pss:\s+(\d+)/m)?.[1] ?? 0)
  })
  return kb.reduce((sum, one) => sum + one, 0) / 1024
}

/** Processes come and go while one looks. */
function readOrNone(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
