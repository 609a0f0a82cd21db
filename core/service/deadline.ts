import { JackstayError } from '@jackstay/contract/errors'
import type { Context } from 'hono'

/** One request's time: a signal that fires when it is up, the client is gone or the program ends. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #startedAt = performance.now()
  readonly #maxMs: number
  /** What a request has unless it asks for more. */
  readonly wholeMs: number
  #timer: NodeJS.Timeout
  /** Rejects with the signal's reason. */
  readonly missed: Promise<never>
  clientGone = false

  constructor(ms: number, maxMs: number) {
    this.#maxMs = maxMs
    this.wholeMs = ms
    this.#timer = setTimeout(() => this.#expire(), ms)
    this.missed = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true })
    })
    this.missed.catch(() => {}) // whoever races it sees the rejection; nobody may
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Moves the end to `ms` from now, never beyond the maximum. Returns what was granted. */
  extend(ms: number): number {
    if (this.signal.aborted) return 0
    const left = this.#startedAt + this.#maxMs - performance.now()
    const granted = Math.max(0, Math.min(ms, left))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#expire(), granted)
    return granted
  }

  abort(reason: Error): void {
    clearTimeout(this.#timer)
    this.#controller.abort(reason)
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
