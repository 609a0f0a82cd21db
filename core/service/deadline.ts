import { JackstayError } from '@jackstay/contract/errors'
import type { Context } from 'hono'

/**
 * One request's time, which ends when it is up, the client is gone or the program ends. Most requests are
 * answered long before, and nobody asks for a signal: it is made when somebody does.
 */
export class Deadline {
  readonly #startedAt = performance.now()
  readonly #maxMs: number
  /** What a request has unless it asks for more. */
  readonly wholeMs: number
  #timer: NodeJS.Timeout
  #controller: AbortController | undefined
  #over: { readonly reason: Error } | undefined
  readonly #heard: ((reason: Error) => void)[] = []
  clientGone = false

  constructor(ms: number, maxMs: number) {
    this.#maxMs = maxMs
    this.wholeMs = ms
    this.#timer = setTimeout(() => this.#expire(), ms)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#over) this.#controller.abort(this.#over.reason)
    return this.#controller.signal
  }

  /** Told at once where the time is over already. */
  onOver(heard: (reason: Error) => void): void {
    if (this.#over) heard(this.#over.reason)
    else this.#heard.push(heard)
  }

  /** What comes of `work`, or the reason why its time was over before. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(resolve, reject)
      this.onOver(reject)
    })
  }

  /** Moves the end to `ms` from now, never beyond the maximum. Returns what was granted. */
  extend(ms: number): number {
    if (this.#over) return 0
    const left = this.#startedAt + this.#maxMs - performance.now()
    const granted = Math.max(0, Math.min(ms, left))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#expire(), granted)
    return granted
  }

  abort(reason: Error): void {
    clearTimeout(this.#timer)
    if (this.#over) return
    this.#over = { reason }
    this.#controller?.abort(reason)
    for (const heard of this.#heard) heard(reason)
  }

  leave(): void {
    this.clientGone = true
    this.abort(new DOMException('the client went away', 'AbortError'))
  }

  /** The request is answered. */
  end(): void {
    clearTimeout(this.#timer)
  }

  #expire(): void {
    this.abort(new JackstayError('too_slow', 'the request missed its deadline; send it again'))
  }
}

function deadlineOf(c: Context): Deadline {
  const deadline: unknown = c.get('deadline')
  if (deadline instanceof Deadline) return deadline
  throw new JackstayError('internal', 'no deadline: make the app with `createApp`')
}

/**
 * Fires when the request's time is up, the client has gone or draining has run out. Pass it to
 * everything awaited.
 */
export function requestSignal(c: Context): AbortSignal {
  return deadlineOf(c).signal
}

/**
 * Gives this request `ms` from now, at most `limits.maxRequestMs` from its start: for long polls
 * and streams. Returns the milliseconds granted.
 */
export function extendDeadline(c: Context, ms: number): number {
  return deadlineOf(c).extend(ms)
}
