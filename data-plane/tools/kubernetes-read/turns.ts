import { JackstayError } from '@jackstay/contract/errors'

/** Bounds the work that one caller has under way, so that none keeps the others waiting. */
export class Turns {
  readonly #most: number
  readonly #running = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Runs `work` in one of the caller's turns. @throws JackstayError `rate_limited` */
  async take<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(caller) ?? 0
    if (running >= this.#most) {
      throw new JackstayError(
        'rate_limited',
        `${running} reads of this agent are under way; wait for one of them`,
      )
    }
    this.#running.set(caller, running + 1)
    try {
      return await work()
    } finally {
      const left = (this.#running.get(caller) ?? 1) - 1
      if (left > 0) this.#running.set(caller, left)
      else this.#running.delete(caller)
    }
  }

  /** Callers with work under way. */
  get size(): number {
    return this.#running.size
  }
}
