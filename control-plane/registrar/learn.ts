import { setTimeout as sleep } from 'node:timers/promises'
import { JackstayError } from '@jackstay/contract/errors'

/** A fact that is asked for until it is known, and then stays. */
export interface Learnt {
  /** @throws JackstayError `not_ready` */
  value(): string
  known(): boolean
}

export interface LearnOptions {
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  /** Milliseconds before the second attempt; doubled each time up to 10 s. */
  readonly firstDelayMs?: number
}

/** Asks `ask` in the background until it answers or the signal aborts. */
export function learn(
  ask: (signal: AbortSignal) => Promise<string>,
  { signal, onError, firstDelayMs = 250 }: LearnOptions,
): Learnt {
  let fact: string | undefined
  const run = async () => {
    for (let delay = firstDelayMs; !signal.aborted; delay = Math.min(delay * 2, 10_000)) {
      try {
        fact = await ask(signal)
        return
      } catch (error) {
        if (signal.aborted) return
        onError(error)
      }
      await sleep(delay, undefined, { signal }).catch(() => {}) // stopping wakes it
    }
  }
  void run()
  return {
    known: () => fact !== undefined,
    value() {
      if (fact !== undefined) return fact
      throw new JackstayError('not_ready', 'the API server has not answered yet; try again')
    },
  }
}
