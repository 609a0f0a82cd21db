import { Worker } from 'node:worker_threads'
import type { Decision } from '@jackstay/contract/decision'
import { denial } from '../decide.ts'
import type { NamedPolicy } from '../rules.ts'
import {
  Gauge,
  type Loaded,
  type Order,
  type Question,
  type Report,
  readDecisions,
  writeQuestion,
} from './messages.ts'

export type { Loaded, Question } from './messages.ts'

/** A judge on a thread of its own: whatever a rule does, the caller's own thread goes on. */
export interface JudgeThread {
  /**
   * Puts other rules in force: every question asked after this call is judged by them. Resolves
   * when they are loaded. A later call made meanwhile answers an earlier one too.
   * @throws Error when they cannot be loaded in time, or the judge is closed; all is denied then
   */
  load(policies: readonly NamedPolicy[]): Promise<Loaded>
  /** Judges all of them, in their order. Total: what is amiss is a deny with its reason. */
  decide(questions: readonly Question[]): Promise<readonly Decision[]>
  /** Whether the latest rules are loaded. */
  ready(): boolean
  close(): Promise<void>
}

export interface ThreadOptions {
  /** Milliseconds for one judgement, 1,000 by default; after that the thread is replaced. */
  readonly deadline?: number
  /** Milliseconds for starting and loading rules, 10,000 by default. */
  readonly loadDeadline?: number
  /** Questions that wait at most, 4,096 by default; the next one is denied. */
  readonly queue?: number
  /** Told when the thread had to be replaced, and why. */
  readonly onReplaced?: (reason: string) => void
  /** For tests. */
  readonly start?: (memory: SharedArrayBuffer) => Worker
}

interface Asked {
  readonly text: string
  readonly answer: (decision: Decision) => void
  /** Its batch was lost to another question: it is asked again, alone. */
  readonly again?: true
}

interface Awaited {
  readonly resolve: (loaded: Loaded) => void
  readonly reject: (error: Error) => void
}

/** What the thread does now. Idle without rules until `load` is called. */
type Task =
  | { readonly kind: 'starting' | 'idle' }
  | { readonly kind: 'loading'; readonly policies: readonly NamedPolicy[] }
  | { readonly kind: 'deciding'; readonly batch: readonly Asked[] }

/** Questions at most in one order. */
const maxBatch = 64
/** A deadline is looked at this often: a pause of the whole process is no fault of a rule. */
const looks = 4
/** Milliseconds before a thread that fails again and again is started again, at most. */
const maxPause = 5_000

function startThread(memory: SharedArrayBuffer): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: memory,
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  })
}

export function judgeThread(options: ThreadOptions = {}): JudgeThread {
  const thread = new Thread(options)
  return {
    load: (policies) => thread.load(policies),
    decide: (questions) => Promise.all(questions.map((question) => thread.ask(question))),
    ready: () => thread.ready(),
    close: () => thread.close(),
  }
}

class Thread {
  readonly #options: ThreadOptions
  readonly #queue: Asked[] = []
  #worker: Worker | undefined
  #gauge = new Gauge()
  #task: Task = { kind: 'starting' }
  /** The rules that should be in force, and those that are. */
  #wanted: readonly NamedPolicy[] | undefined
  #inForce: readonly NamedPolicy[] | undefined
  #ids: readonly string[] = []
  #awaited: Awaited[] = []
  #watch: NodeJS.Timeout | undefined
  #pause: NodeJS.Timeout | undefined
  /** Failures since the thread last did what it should. */
  #failures = 0
  #scheduled = false
  #closed = false

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#start()
  }

  ready(): boolean {
    return this.#wanted !== undefined && this.#inForce === this.#wanted && !this.#closed
  }

  load(policies: readonly NamedPolicy[]): Promise<Loaded> {
    if (this.#closed) return Promise.reject(new Error('the judge is closed'))
    this.#wanted = policies
    const loaded = new Promise<Loaded>((resolve, reject) => {
      this.#awaited.push({ resolve, reject })
    })
    this.#schedule()
    return loaded
  }

  ask(question: Question): Promise<Decision> {
    if (this.#closed) return Promise.resolve(denial('the judge is closed'))
    if (this.#wanted === undefined) return Promise.resolve(denial('no rules are loaded'))
    if (this.#queue.length >= (this.#options.queue ?? 4096)) {
      return Promise.resolve(denial('too many judgements are waiting'))
    }
    try {
      const text = writeQuestion(question)
      return new Promise((answer) => {
        this.#queue.push({ text, answer })
        this.#schedule()
      })
    } catch (error) {
      return Promise.resolve(denial(`the facts cannot be read: ${messageOf(error)}`))
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const worker = this.#worker
    this.#worker = undefined
    clearTimeout(this.#pause)
    clearInterval(this.#watch)
    this.#deny(this.#inHand(), 'the judge is closed')
    this.#refuseAll('the judge is closed')
    await worker?.terminate()
  }

  #start(): void {
    const gauge = new Gauge()
    const worker = (this.#options.start ?? startThread)(gauge.memory)
    this.#worker = worker
    this.#gauge = gauge
    this.#inForce = undefined
    this.#begin({ kind: 'starting' })
    // events of a thread that has been replaced come too late to matter
    const current = (act: () => void) => {
      if (this.#worker === worker) act()
    }
    worker.on('message', (report: Report) => current(() => this.#hear(report)))
    worker.on('error', (error) => current(() => this.#fail(`it crashed: ${messageOf(error)}`)))
    worker.on('exit', (code) => current(() => this.#fail(`it ended with code ${code}`)))
  }

  #hear(report: Report): void {
    const task = this.#task
    this.#begin({ kind: 'idle' })
    if (report.kind === 'loaded' && task.kind === 'loading') {
      this.#failures = 0
      this.#inForce = task.policies
      this.#ids = report.ids
      if (this.#wanted === task.policies) {
        for (const { resolve } of this.#awaited.splice(0)) resolve(report.loaded)
      }
    }
    if (report.kind === 'decided' && task.kind === 'deciding') {
      const decisions = readDecisions(report.decisions)
      task.batch.forEach(({ answer }, i) => {
        answer(decisions[i] ?? denial('the judge left it out'))
      })
    }
    this.#next()
  }

  /** All that is asked in one turn of the event loop goes in one order. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #next(): void {
    if (this.#task.kind !== 'idle' || this.#worker === undefined) return
    if (this.#wanted !== undefined && this.#inForce !== this.#wanted) {
      this.#begin({ kind: 'loading', policies: this.#wanted })
      this.#send({ kind: 'load', policies: this.#wanted })
      return
    }
    const batch = this.#queue.splice(0, this.#queue[0]?.again ? 1 : maxBatch)
    if (batch.length === 0) return
    this.#begin({ kind: 'deciding', batch })
    this.#send({ kind: 'decide', questions: `[${batch.map(({ text }) => text).join(',')}]` })
  }

  #send(order: Order): void {
    this.#gauge.done = 0
    this.#worker?.postMessage(order)
  }

  /** Watches what takes time. The deadline starts again whenever a judgement is done. */
  #begin(task: Task): void {
    this.#task = task
    clearInterval(this.#watch)
    if (task.kind === 'idle') return
    const { deadline = 1_000, loadDeadline = 10_000 } = this.#options
    const limit = task.kind === 'deciding' ? deadline : loadDeadline
    let done = 0
    let unchanged = 0
    this.#watch = setInterval(() => {
      const now = this.#gauge.done
      unchanged = now === done ? unchanged + 1 : 0
      done = now
      if (unchanged >= looks) this.#fail(`it took longer than ${limit} ms`)
    }, limit / looks)
  }

  #inHand(): readonly Asked[] {
    return this.#task.kind === 'deciding' ? this.#task.batch : []
  }

  /**
   * Ends the thread, denies the question it was at and starts another one. What else was in the batch
   * is asked again, one by one: nobody's question is denied for somebody else's.
   */
  #fail(why: string): void {
    const { done, rule } = this.#gauge
    const id = this.#ids[rule]
    const judging = id === undefined ? 'judging' : `the rule ${id}`
    const batch = this.#inHand()
    const stopped = batch[done]
    stopped?.answer(denial(`${judging} was stopped: ${why}`))
    const others = batch.filter((asked) => asked !== stopped)
    this.#queue.unshift(...others.map((asked) => ({ ...asked, again: true as const })))
    const doing = this.#task.kind === 'deciding' ? judging : this.#task.kind
    this.#options.onReplaced?.(`${doing}: ${why}`)
    if (this.#task.kind !== 'deciding') this.#refuseAll(`the rules could not be loaded: ${why}`)
    this.#begin({ kind: 'idle' })
    const worker = this.#worker
    this.#worker = undefined
    this.#inForce = undefined
    void worker?.terminate()
    const pause = this.#failures === 0 ? 0 : Math.min(maxPause, 50 * 2 ** this.#failures)
    this.#failures += 1
    this.#pause = setTimeout(() => this.#start(), pause)
  }

  #refuseAll(why: string): void {
    this.#deny(this.#queue.splice(0), why)
    for (const { reject } of this.#awaited.splice(0)) reject(new Error(why))
  }

  #deny(asked: readonly Asked[], why: string): void {
    for (const { answer } of asked) answer(denial(why))
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
