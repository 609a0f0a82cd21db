/** The agents' own JSON events, in order. */
export class AgentEvents {
  readonly #events: Readonly<Record<string, unknown>>[] = []
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

  /** The next event of one of these names, waiting for it until the signal aborts. */
  async next(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      signal.throwIfAborted()
      const found = this.#events.findIndex(({ event }) => names.includes(String(event)))
      const event = this.#events[found]
      if (event !== undefined) {
        this.#events.splice(0, found + 1)
        return event
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }
}
