import type { Decision } from '@jackstay/contract/decision'
import type { Digest } from '@jackstay/contract/json'
import type { DecideInput } from '../decide.ts'
import type { Facts } from '../facts.ts'
import type { NamedPolicy, RuleProblem } from '../rules.ts'

/** What `decide` needs besides the rules, which the thread has. */
export type Question = Omit<DecideInput, 'rules'>

/** To the thread. Questions travel as one text each: cheaper than clones, and frozen in time. */
export type Order =
  | { readonly kind: 'load'; readonly policies: readonly NamedPolicy[] }
  | { readonly kind: 'decide'; readonly questions: string }

export interface Loaded {
  readonly problems: readonly RuleProblem[]
  /** Of all policies. */
  readonly hash: Digest
}

/** From the thread. */
export type Report =
  | { readonly kind: 'started' }
  /** `ids`: the rules by the number under which the gauge shows the one that runs. */
  | { readonly kind: 'loaded'; readonly loaded: Loaded; readonly ids: readonly string[] }
  | { readonly kind: 'decided'; readonly decisions: string }

/** Memory that both sides see, so that the thread can be watched while it is stuck. */
export class Gauge {
  readonly #cells: Int32Array<SharedArrayBuffer>

  constructor(memory = new SharedArrayBuffer(8)) {
    this.#cells = new Int32Array(memory)
  }

  get memory(): SharedArrayBuffer {
    return this.#cells.buffer
  }

  /** Judgements of the batch in hand that are done. */
  get done(): number {
    return Atomics.load(this.#cells, 0)
  }

  set done(count: number) {
    Atomics.store(this.#cells, 0, count)
  }

  /** Number of the rule that runs, or -1. */
  get rule(): number {
    return Atomics.load(this.#cells, 1)
  }

  set rule(number: number) {
    Atomics.store(this.#cells, 1, number)
  }
}

/** @throws TypeError or RangeError for what JSON cannot carry */
export function writeQuestion({ facts, ...rest }: Question): string {
  // a moment as a number: as text an invalid one would be null, and null the year 1970
  return JSON.stringify({ ...rest, facts: { ...facts, now: facts.now.getTime() } })
}

/** Questions that `writeQuestion` wrote. What is wrong with their facts, `decide` finds. */
export function readQuestions(text: string): readonly Question[] {
  const written: readonly (Omit<Question, 'facts'> & {
    facts: Omit<Facts, 'now'> & { now: unknown }
  })[] = JSON.parse(text)
  return written.map(({ facts, ...rest }) => {
    const now = new Date(typeof facts.now === 'number' ? facts.now : Number.NaN)
    return { ...rest, facts: { ...facts, now } }
  })
}

export function writeDecisions(decisions: readonly Decision[]): string {
  return JSON.stringify(decisions)
}

/** From our own thread: made by `decide` a moment ago. */
export function readDecisions(text: string): readonly Decision[] {
  return JSON.parse(text)
}
