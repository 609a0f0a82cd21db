import { JackstayError } from '@jackstay/contract/errors'

/** Bounds the work that one caller has under way, so that none keeps the others waiting. */
export class Turns {
  readonly #most: number
  readonly #refusal: (running: number) => string
  readonly #running = new Map<string, number>()

  /** @param refusal what one is told who has so much under way already */
  constructor(most: number, refusal: (running: number) => string) {
    this.#most = most
    this.#refusal = refusal
  }

  /** Whether the caller has no turn left. */
  isFull(caller: string): boolean {
    return this.#of(caller) >= this.#most
  }

  /** Runs `work` in one of the caller's turns. @throws JackstayError `rate_limited` */
  async take<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const running = this.#of(caller)
    if (this.isFull(caller)) throw new JackstayError('rate_limited', this.#refusal(running))
    this.#running.set(caller, running + 1)
    try {
      return await work()
    } finally {
      const left = this.#of(caller) - 1
      if (left > 0) this.#running.set(caller, left)
      else this.#running.delete(caller)
    }
  }

  #of(caller: string): number {
    return this.#running.get(caller) ?? 0
  }

  /** Callers with work under way. */
  get size(): number {
    return this.#running.size
  }
}
