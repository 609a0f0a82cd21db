import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

/** A process that cannot be mistaken for a later one with the same number. */
export const processIdentity = z.object({ pid: z.int().positive(), startTime: z.string() })
export type ProcessIdentity = z.infer<typeof processIdentity>

/** Start time in clock ticks since boot, or undefined when there is no such process or only its zombie. */
function startTimeOf(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`)
  // the program's name stands in brackets and may itself hold spaces and brackets
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined || fields[0] === 'X') return undefined
  // a first thread that has ended looks like a zombie while others still hold the process's ports
  const threads = Number(fields[17])
  return fields[0] === 'Z' && threads <= 1 ? undefined : fields[19]
}

export function identityOf(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return startTimeOf(pid) === startTime
}

export function childrenOf(pid: number): number[] {
  const children = readProc(`/proc/${pid}/task/${pid}/children`)
  return (children ?? '').split(' ').filter(Boolean).map(Number)
}

/** Every process whose environment holds `entry` (`NAME=value`), whoever started it. */
export function processesWithEnvironment(entry: string): ProcessIdentity[] {
  return processesThat((pid) =>
    (readProc(`/proc/${pid}/environ`) ?? '').split('\0').includes(entry),
  )
}

/** A process namespace, which cannot be mistaken for a later one until it is let go. */
export type ProcessNamespace = { members(): ProcessIdentity[]; letGo(): void }

/** The namespace that a process lives in, or undefined when that process is gone. */
export function processNamespaceOf({ pid }: ProcessIdentity): ProcessNamespace | undefined {
  // held open, or the kernel gives its number to the next one
  const held = openOrGone(`/proc/${pid}/ns/pid`)
  if (held === undefined) return undefined
  const name = readlinkSync(`/proc/self/fd/${held}`)
  return {
    members: () => processesThat((member) => namespaceName(member) === name),
    letGo: () => closeSync(held),
  }
}

function openOrGone(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

function namespaceName(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** The command line of every process, its words parted by spaces. */
export function commandLines(): string[] {
  return pids().map((pid) => (readProc(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' '))
}

function pids(): number[] {
  const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return names.map(Number)
}

function processesThat(match: (pid: number) => boolean): ProcessIdentity[] {
  return pids()
    .filter(match)
    .map(identityOf)
    .filter((identity) => identity !== undefined)
}

// a process may end, or belong to somebody else, between being listed and being read
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export function sendSignal({ pid, startTime }: ProcessIdentity, signal: NodeJS.Signals): void {
  if (startTimeOf(pid) !== startTime) return
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ESRCH'
}

/** True when the process ended within the time. */
export async function hasEnded(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  while (isAlive(identity)) {
    if (performance.now() > end) return false
    await delay(25)
  }
  return true
}

/** Asks first, insists after `graceMs`. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  sendSignal(identity, 'SIGTERM')
  if (await hasEnded(identity, graceMs)) return
  sendSignal(identity, 'SIGKILL')
  if (!(await hasEnded(identity, 5_000))) {
    throw new Error(`process \`${identity.pid}\` does not end, look at it with ps`)
  }
}

export type Daemon = {
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly log: string
}

/** Starts a program that outlives this process, in a session of its own, its output in a file. */
export function startDaemon({ argv, env, log }: Daemon): ProcessIdentity {
  const [program, ...args] = argv
  if (program === undefined) throw new Error('an empty command cannot be started')
  const output = openSync(log, 'a')
  try {
    const child = spawn(program, args, { detached: true, env, stdio: ['ignore', output, output] })
    // a program that is missing is noticed by whoever waits for it to be ready, with its log
    child.once('error', () => {})
    child.unref()
    if (child.pid === undefined) throw new Error(`\`${program}\` cannot be started, is it there?`)
    return identityOf(child.pid) ?? { pid: child.pid, startTime: 'ended at once' }
  } finally {
    closeSync(output)
  }
}

export type RunOptions = {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

export type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs a command to its end, whatever its exit code. */
export function outcomeOf(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program, ...args] = argv
  if (program === undefined) throw new Error('an empty command cannot be run')
  const { timeoutMs = 900_000 } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      timeout: timeoutMs,
    })
    const output: string[] = []
    const errors: string[] = []
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const late = child.killed ? `; it may take ${timeoutMs / 1000} s` : ''
      if (signal !== null) errors.push(`\nended by ${signal}${late}\n`)
      resolve({ code: code ?? 1, stdout: output.join(''), stderr: errors.join('') })
    })
    // a program that ends without reading its input is judged by its exit code
    child.stdin.once('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a command that must succeed; the error carries the end of what it said. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(argv, options)
  if (code === 0) return stdout
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-12).join('\n')
  throw new Error(`\`${argv.slice(0, 6).join(' ')}\` failed with exit code ${code}:\n${said}`)
}
