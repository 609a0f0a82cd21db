type Fields = Readonly<Record<string, unknown>>

/** The events of an agent, one JSON line each, kept by the alert that they are about. */
export class AgentTalk {
  readonly #events: Fields[] = []
  readonly #waiting = new Set<() => void>()

  push(line: string): void {
    try {
      const event: unknown = JSON.parse(line)
      if (typeof event === 'object' && event !== null) this.#events.push({ ...event })
    } catch {
      return // not an event: it is in the log
    }
    for (const wake of [...this.#waiting]) wake()
  }

  /** Where the talk stands: what was said before is not looked at again. */
  get said(): number {
    return this.#events.length
  }

  /** The first event from `since` on that is what is looked for. @throws the signal's reason */
  async next(
    since: number,
    isIt: (event: Fields) => boolean,
    signal: AbortSignal,
  ): Promise<{ readonly event: Fields; readonly after: number }> {
    for (;;) {
      signal.throwIfAborted()
      const found = this.#events.findIndex((event, i) => i >= since && isIt(event))
      const event = this.#events[found]
      if (event !== undefined) return { event, after: found + 1 }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiting.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }
}
