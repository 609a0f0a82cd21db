import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { layoutOf } from './layout.ts'
import {
  childrenOf,
  endProcess,
  hasEnded,
  identityOf,
  isAlive,
  type ProcessIdentity,
  sendSignal,
  startDaemon,
} from './process.ts'
import { type ClusterState, type Program, processMark, readState, updateState } from './state.ts'

/** The words before a command that make it run inside the namespaces of a cluster with a node. */
export function enterPrefix({ node }: Pick<ClusterState, 'node'>): string[] {
  if (node === undefined) return []
  return ['nsenter', '--target', `${node.holder.pid}`, '--mount', '--net', '--pid', '--']
}

/** What the programs of a cluster find in their environment: nothing of the user's but the path. */
export function programEnvironment(state: Pick<ClusterState, 'id' | 'node'>): NodeJS.ProcessEnv {
  const [name = '', value = ''] = processMark(state).split('=')
  return { PATH: process.env.PATH, ...state.node?.environment, [name]: value }
}

/** Starts a program of the cluster (again) and records it at once. */
export function startProgram(name: string, program: string, argv: readonly string[]): void {
  updateState(name, (state) => {
    const started = startDaemon({
      argv: [...enterPrefix(state), ...argv],
      env: programEnvironment(state),
      log: layoutOf(state).logOf(program),
    })
    const others = state.programs.filter((other) => other.name !== program)
    return {
      ...state,
      programs: [...others, { name: program, argv: [...argv], process: started }],
    }
  })
}

// an API server that has just started may take a minute to end gracefully, a test has no use for that
const GRACE_MS = 3_000

/** Ends one program, gracefully first, and forgets nothing: it can be started again as it was. */
export async function stopProgram(name: string, program: string): Promise<void> {
  const found = readState(name)?.programs.find((candidate) => candidate.name === program)
  if (found === undefined) return
  const inside = insideOf(found.process)
  sendSignal(inside, 'SIGTERM')
  if (await hasEnded(inside, GRACE_MS)) await endProcess(found.process, 1_000)
  else {
    await endProcess(inside, 0)
    await endProcess(found.process, 1_000)
  }
}

// nsenter stays outside the process namespace and passes no signal on: the program is its child
function insideOf(outer: ProcessIdentity): ProcessIdentity {
  const [child] = childrenOf(outer.pid)
  return (child === undefined ? undefined : identityOf(child)) ?? outer
}

export function restartProgram(name: string, program: string): void {
  const found = readState(name)?.programs.find((candidate) => candidate.name === program)
  if (found === undefined) {
    throw new Error(`the cluster \`${name}\` has no \`${program}\` to start`)
  }
  if (!isAlive(found.process)) startProgram(name, program, found.argv)
}

export type Waiting = {
  readonly name: string
  readonly what: string
  readonly withinMs: number
  readonly signal: AbortSignal | undefined
}

/** Polls until it is so; gives up at once, with its log, when a program of the cluster has died. */
export async function waitUntil(
  { name, what, withinMs, signal }: Waiting,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    signal?.throwIfAborted()
    if (await isSo()) return
    const state = readState(name)
    if (state === undefined) throw new Error(`the cluster \`${name}\` was taken down meanwhile`)
    const dead = state.programs.find((program) => !isAlive(program.process))
    if (dead !== undefined)
      throw new ProgramEnded(dead, lastLines(layoutOf(state).logOf(dead.name)))
    if (performance.now() > end) {
      const log = lastLines(layoutOf(state).logOf('kube-apiserver'))
      throw new Error(
        `${what}: not within ${withinMs / 1000} s; the API server's last lines:\n${log}`,
      )
    }
    await delay(100, undefined, signal === undefined ? {} : { signal })
  }
}

class ProgramEnded extends Error {
  readonly log: string

  constructor(program: Program, log: string) {
    super(`\`${program.name}\` ended while it was waited for, its last lines:\n${log}`)
    this.log = log
  }
}

function lastLines(path: string): string {
  if (!existsSync(path)) return '(it wrote nothing)'
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
}
