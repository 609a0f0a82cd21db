import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProgramOptions {
  readonly name: string
  /** What is run: Node.js unless given. */
  readonly command?: string
  /** The program's main file; of another command, its first argument. */
  readonly main: string
  readonly args: readonly string[]
  /** Of Node.js itself, before the program. */
  readonly nodeFlags?: readonly string[]
  /** Beside what it has of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** It is an agent's: of this process it has what Node needs, and no credential. */
  readonly confined?: boolean
  /** Everything it writes, appended. */
  readonly logFile: string
  /** Answers 200 when the program is ready. */
  readonly readyUrl?: string
  readonly signal: AbortSignal
  /** Each line of its standard output. */
  readonly onLine?: (line: string) => void
}

/** One of our programs as a process of its own. */
export interface Program {
  readonly name: string
  readonly pid: number
  /** Resolves with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>
  /** SIGTERM, then SIGKILL after ten seconds; resolves when it is gone. */
  stop(): Promise<void>
  /** SIGKILL, as a crash. */
  kill(): Promise<void>
}

const plainNames = [
  ...[
    'PATH',
    'HOME',
    'TMPDIR',
    'XDG_CACHE_HOME',
    'MALLOC_ARENA_MAX',
    'MALLOC_TRIM_THRESHOLD_',
    'MALLOC_MMAP_THRESHOLD_',
  ],
  ...['NODE_OPTIONS', 'NODE_COMPILE_CACHE', 'NODE_V8_COVERAGE'],
]

function plain(): Record<string, string> {
  const { env } = process
  return Object.fromEntries(plainNames.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
}

const readyMs = 60_000
const stopMs = 10_000

/**
 * Starts a program and waits until it is ready.
 * @throws Error when it ends or is not ready within a minute, with the end of its log
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const log = createWriteStream(options.logFile, { flags: 'a' })
  const child = spawn(
    options.command ?? process.execPath,
    [...(options.nodeFlags ?? []), options.main, ...options.args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...(options.confined ? plain() : process.env), ...options.env },
      // its own group: Ctrl-C at the terminal reaches us, and we end the programs in order
      detached: true,
    },
  )
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.stderr.pipe(log)
  splitLines(child, (line) => {
    log.write(`${line}\n`)
    options.onLine?.(line)
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${options.name} could not be started`)
  const program: Program = {
    name: options.name,
    pid,
    exited,
    stop: () => end(child, exited, 'SIGTERM'),
    kill: () => end(child, exited, 'SIGKILL'),
  }
  try {
    if (options.readyUrl !== undefined) await ready(options, options.readyUrl, exited)
  } catch (error) {
    await program.stop()
    throw error
  }
  return program
}

function splitLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

async function end(
  child: ChildProcess,
  exited: Promise<number | null>,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
  await exited
  clearTimeout(timer)
}

async function ready(
  options: ProgramOptions,
  url: string,
  exited: Promise<number | null>,
): Promise<void> {
  const until = performance.now() + readyMs
  let gone = false
  void exited.then(() => {
    gone = true
  })
  for (;;) {
    options.signal.throwIfAborted()
    if (gone) throw new Error(`${options.name} ended at once:\n${tail(options.logFile)}`)
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    if (performance.now() > until) {
      throw new Error(`${options.name} is not ready after a minute:\n${tail(options.logFile)}`)
    }
    await sleep(100, undefined, { signal: options.signal })
  }
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-15).join('\n')
}
