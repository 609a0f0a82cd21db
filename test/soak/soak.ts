import { setTimeout as sleep } from 'node:timers/promises'
import { type Pace, schedule, usualPace } from './schedule/schedule.ts'
import type { Evidence, Violation } from './verdict/evidence.ts'
import { uncountedRefusals } from './verdict/leaves.ts'
import { type MemoryVerdict, memoryVerdict } from './verdict/memory.ts'
import { judge, type Verdict } from './verdict/verdict.ts'
import { intentHistories, logLeaves } from './witness/ledger.ts'
import { checkLedger, type LedgerCheck } from './witness/ledger-check.ts'
import type { Witness } from './witness/witness.ts'
import type { Doings } from './world/doings.ts'
import type { Ground } from './world/ground.ts'
import type { Tally } from './world/tally.ts'

export interface SoakOptions {
  readonly seed: number
  readonly lengthMs: number
  readonly pace?: Pace
  /** Ends agents and chaos early; the verdict on what was is reached all the same. */
  readonly signal: AbortSignal
  /** Waits no longer for what is under way: intents that have not ended are then told as such. */
  readonly hurry?: AbortSignal
  readonly onProgress: (line: string) => void
}

export interface SoakReport extends Verdict {
  readonly seed: number
  readonly ranMs: number
  readonly steps: number
  /** How many intents ended how. */
  readonly ends: Readonly<Record<string, number>>
  readonly tally: Tally
  readonly memory: MemoryVerdict
  readonly ledger: readonly LedgerCheck[]
  readonly evidence: Evidence
}

const lookEveryMs = 700
const tellEveryMs = 5_000
/** Longer than any approval waits and any verification takes, on the slowest machine. */
const settleWithinMs = 240_000
const settleEveryMs = 2_000
/** Far above what a mediator needs: only growth without end gets there. */
const highestMb = 600

/** Who takes part: the ground, those who do something on it, and who looks on. */
export interface Parts {
  readonly ground: Ground
  readonly doings: Doings
  readonly witness: Witness
}

/** One soak on laid ground: it happens, it settles, and every witness is heard. */
export async function soak(parts: Parts, options: SoakOptions): Promise<SoakReport> {
  const { ground, doings, witness } = parts
  const { seed, onProgress } = options
  const over = new AbortController()
  const looking = Promise.all([
    every(lookEveryMs, over.signal, () => doings.approver.look()),
    every(lookEveryMs, over.signal, () => witness.look()),
    every(lookEveryMs, over.signal, () => doings.crew.look()),
  ])
  // awaited at the end: until then a witness who sees nothing any more must end the rest
  looking.catch((error: unknown) => over.abort(error))
  const signal = AbortSignal.any([options.signal, over.signal])
  let ran: { readonly steps: number; readonly ranMs: number }
  try {
    ran = await happen(parts, { ...options, signal })
    onProgress('settling: no fault, no stop, until every intent has ended')
    await settle(ground, doings, options.hurry)
  } finally {
    over.abort()
    await looking
  }
  onProgress('the verdict')
  const ledger = await checkLedger(ground)
  const evidence = await witness.evidence(doings.book, doings.chaos)
  const memory = memoryVerdict(witness.memory)
  const { violations, ...verdict } = judge(evidence)
  return {
    ...{ seed, ...ran, ...verdict, ledger, evidence, memory, tally: doings.tally },
    violations: [...violations, ...ledger.flatMap(ofLedger), ...ofMemory(memory)],
    ends: endsOf(evidence),
  }
}

/** The whole schedule in its time. Nobody waits for anybody; who fails by our own fault ends the soak. */
async function happen({ doings, witness }: Parts, options: SoakOptions) {
  const { seed, lengthMs, pace = usualPace, signal, onProgress } = options
  const started = performance.now()
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const running = new Set<Promise<void>>()
  const untilTime = async (at: number) => {
    const wait = Math.max(0, at - (performance.now() - started))
    await sleep(wait, undefined, { signal: stop }).catch(() => undefined)
  }
  let steps = 0
  let told = 0
  for (const { at, step } of schedule(seed, lengthMs, pace)) {
    await untilTime(at)
    if (stop.aborted) break
    steps++
    const one = doings
      .take(step, stop)
      .catch((error: unknown) => failed.abort(error))
      .finally(() => running.delete(one))
    running.add(one)
    if (at - told < tellEveryMs) continue
    told = at
    onProgress(progressOf(at, lengthMs, doings.tally, witness))
  }
  await untilTime(lengthMs)
  const ranMs = performance.now() - started
  await doings.people.liftAll()
  await Promise.all(running)
  failed.signal.throwIfAborted()
  return { steps, ranMs }
}

function progressOf(
  at: number,
  lengthMs: number,
  tally: Tally,
  { writes, memory }: Witness,
): string {
  const clock = (ms: number) => {
    const seconds = Math.floor(ms / 1000)
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }
  const kills = ['mediator', 'registrar', 'sidecar'].map((name) => tally.of(`killed: ${name}`))
  const mb = Math.round((memory.at(-1)?.bytes ?? 0) / 1024 / 1024)
  const seen = [
    `${tally.of('steps: ask')} asked`,
    `${tally.of('steps: slip')} slips`,
    `${tally.of('steps: attack')} attacks`,
    `${kills.reduce((a, b) => a + b)} kills`,
    `${tally.of('steps: fault')} faults`,
    `${tally.of('steps: stop')} stops`,
    `${writes.length} writes seen`,
    `mediator ${mb} MB`,
  ]
  return `${clock(at)} of ${clock(lengthMs)}  ${seen.join(', ')}`
}

/** Everything up, nothing in the way, until every intent has ended and is in the log, or it takes too long. */
async function settle({ w }: Ground, doings: Doings, hurry?: AbortSignal): Promise<void> {
  await doings.chaos.calm()
  const { dataDirectory } = w.plane
  const settled = async () => {
    const histories = intentHistories(dataDirectory)
    if (histories.some(({ events }) => events.at(-1)?.type !== 'ended')) return false
    return uncountedRefusals(histories, await logLeaves(dataDirectory)) === 0
  }
  for (const end = performance.now() + settleWithinMs; performance.now() < end; ) {
    if (hurry?.aborted || (await settled())) return
    await sleep(settleEveryMs)
  }
}

/** Until told otherwise, and never two at a time. */
async function every(ms: number, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look()
    await sleep(ms, undefined, { signal }).catch(() => undefined)
  }
}

function ofLedger({ by, ok, said }: LedgerCheck): Violation[] {
  return ok ? [] : [{ promise: 'the ledger verifies', what: `${by}: ${said}` }]
}

function ofMemory(memory: MemoryVerdict): Violation[] {
  if (memory.highestMb <= highestMb) return []
  return [{ promise: 'memory is bounded', what: `the mediator had ${memory.highestMb} MB` }]
}

function endsOf({ histories }: Evidence): Record<string, number> {
  const ends = histories.map(({ events }) => {
    const last = events.at(-1)
    return last?.type === 'ended' ? `${last.data.phase}/${last.data.reason}` : 'not ended'
  })
  return Object.fromEntries(
    [...Map.groupBy(ends, (end) => end)].map(([end, all]) => [end, all.length] as const).toSorted(),
  )
}
