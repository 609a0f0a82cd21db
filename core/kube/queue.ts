import { JackstayError } from '@jackstay/contract/errors'
import { type Backoff, backoffDelay } from './backoff.ts'
import { type Clock, systemClock } from './clock.ts'

export interface WorkQueueOptions {
  /** Works one key. Throwing means: again, after a backoff. */
  readonly handle: (key: string, signal: AbortSignal) => Promise<void>
  /** Keys worked at the same time; never one key twice. 4. */
  readonly concurrency?: number
  /** Distinct keys known at a time, waiting or running; 10,000. */
  readonly maxKeys?: number
  /** 50 ms to 60 s. */
  readonly backoff?: Backoff
  readonly onError?: (error: unknown, key: string, attempt: number) => void
  readonly clock?: Clock
  /** A number in [0, 1). */
  readonly random?: () => number
}

/** Keys to work on: each once however often it is added, never two runs of one key at a time. */
export interface WorkQueue {
  /**
   * Works `key` soon. While it runs, once more afterwards.
   * @throws JackstayError `overloaded` beyond `maxKeys`, `draining` after `drain` or `stop`
   */
  add(key: string): void
  /** As `add`, in `ms` milliseconds; of several such the soonest counts. */
  addAfter(key: string, ms: number): void
  /** Distinct keys waiting, delayed or running. */
  readonly size: number
  /** Resolves when no key is ready or running; delayed ones do not count. */
  idle(signal: AbortSignal): Promise<void>
  /**
   * Takes no more, drops what is delayed, finishes what is ready or running, then stops. When the
   * signal aborts first, it stops at once: running handlers see their signal abort.
   */
  drain(signal: AbortSignal): Promise<void>
  /** Drops everything and aborts running handlers. */
  stop(): void
}

const defaultBackoff: Backoff = { minMs: 50, maxMs: 60_000 }

/** Makes a queue; it works as soon as a key is added. */
export function workQueue(options: WorkQueueOptions): WorkQueue {
  return new Queue(options)
}

interface Delayed {
  readonly dueAt: number
  readonly cancel: AbortController
}

class Queue implements WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #clock: Clock
  readonly #ready = new Set<string>()
  readonly #running = new Set<string>()
  readonly #delayed = new Map<string, Delayed>()
  readonly #failures = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  readonly #stopped = new AbortController()
  #draining = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get size(): number {
    return new Set([...this.#ready, ...this.#running, ...this.#delayed.keys()]).size
  }

  add(key: string): void {
    this.#admit(key)
    this.#ready.add(key)
    this.#pump()
  }

  addAfter(key: string, ms: number): void {
    this.#admit(key)
    this.#delay(key, ms)
  }

  idle(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const check = () => {
      const idle = this.#ready.size === 0 && this.#running.size === 0
      if (!idle && !signal.aborted) return
      this.#waiting.delete(check)
      signal.removeEventListener('abort', check)
      if (idle) resolve()
      else
        reject(
          new JackstayError(
            'not_ready',
            `the queue still has ${this.#ready.size + this.#running.size} keys; wait longer`,
          ),
        )
    }
    this.#waiting.add(check)
    signal.addEventListener('abort', check, { once: true })
    check()
    return promise
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true
    this.#dropDelayed()
    try {
      await this.idle(signal)
    } finally {
      this.stop()
    }
  }

  stop(): void {
    this.#draining = true
    this.#stopped.abort(new Error('the queue was stopped'))
    this.#dropDelayed()
    this.#ready.clear()
    this.#wake()
  }

  #admit(key: string): void {
    if (this.#draining)
      throw new JackstayError(
        'draining',
        `the queue takes no more keys, \`${key}\` neither; restart first`,
      )
    const maxKeys = this.#options.maxKeys ?? 10_000
    const known = this.#ready.has(key) || this.#running.has(key) || this.#delayed.has(key)
    // an upper estimate is enough to refuse: counting exactly on each add would cost the whole queue
    const count = this.#ready.size + this.#running.size + this.#delayed.size
    if (!known && count >= maxKeys && this.size >= maxKeys) {
      throw new JackstayError(
        'overloaded',
        `the queue holds ${maxKeys} keys; \`${key}\` has to wait, try again later`,
      )
    }
  }

  #delay(key: string, ms: number): void {
    const dueAt = this.#clock.now() + ms
    const known = this.#delayed.get(key)
    if (known !== undefined && known.dueAt <= dueAt) return
    known?.cancel.abort()
    const delayed = { dueAt, cancel: new AbortController() }
    this.#delayed.set(key, delayed)
    void this.#clock.sleep(ms, delayed.cancel.signal).then(() => {
      if (delayed.cancel.signal.aborted || this.#delayed.get(key) !== delayed) return
      this.#delayed.delete(key)
      this.#ready.add(key)
      this.#pump()
    })
  }

  #pump(): void {
    for (const key of this.#ready) {
      if (this.#running.size >= (this.#options.concurrency ?? 4)) return
      if (this.#running.has(key)) continue // worked again when this run ends
      this.#ready.delete(key)
      this.#running.add(key)
      void this.#work(key)
    }
  }

  async #work(key: string): Promise<void> {
    try {
      await this.#options.handle(key, this.#stopped.signal)
      this.#failures.delete(key)
    } catch (error) {
      this.#failed(key, error)
    }
    this.#running.delete(key)
    this.#pump()
    this.#wake()
  }

  #failed(key: string, error: unknown): void {
    const attempt = this.#failures.get(key) ?? 0
    if (this.#draining) this.#failures.delete(key)
    else {
      this.#failures.set(key, attempt + 1)
      const backoff = this.#options.backoff ?? defaultBackoff
      this.#delay(key, backoffDelay(attempt, backoff, (this.#options.random ?? Math.random)()))
    }
    try {
      this.#options.onError?.(error, key, attempt)
    } catch {
      // the reporter itself failed: there is nobody left to tell, and the queue must go on
    }
  }

  #dropDelayed(): void {
    for (const { cancel } of this.#delayed.values()) cancel.abort()
    this.#delayed.clear()
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check()
  }
}
