/** The key of triggers, whichever they are. */
export const anyTrigger = 'triggers'

/** Tells long polls that something new can be read. */
export interface Changes {
  notify(key: string): void
  /** Resolves at the next change of `key`, after `ms`, or when the signal aborts. */
  next(key: string, ms: number, signal: AbortSignal): Promise<void>
}

/** Listeners by key; each lasts one request, whose number the server bounds. */
export function changes(): Changes {
  const listeners = new Map<string, Set<() => void>>()
  return {
    notify(key) {
      for (const wake of [...(listeners.get(key) ?? [])]) wake()
    },
    next(key, ms, signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const set = listeners.get(key) ?? new Set()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        set.delete(done)
        if (set.size === 0) listeners.delete(key)
        resolve()
      }
      const timer = setTimeout(done, ms)
      set.add(done)
      listeners.set(key, set)
      signal.addEventListener('abort', done, { once: true })
      if (signal.aborted) done()
      return promise
    },
  }
}
