import { JackstayError } from '@jackstay/contract/errors'

/** Long polls one caller may hold at a time: each takes one of the server's places. */
const perCaller = 8

/** Counts who waits, so that one caller's waiting never takes everybody's places. */
export interface Waiting {
  /** @throws JackstayError `rate_limited` beyond what one caller may hold */
  hold<T>(caller: string, work: () => Promise<T>): Promise<T>
}

export function waiting(): Waiting {
  const held = new Map<string, number>()
  return {
    async hold(caller, work) {
      const count = held.get(caller) ?? 0
      if (count >= perCaller) {
        throw new JackstayError(
          'rate_limited',
          `you hold ${perCaller} long polls already; let one end, or ask without \`wait\``,
        )
      }
      held.set(caller, count + 1)
      try {
        return await work()
      } finally {
        const left = (held.get(caller) ?? 1) - 1
        if (left > 0) held.set(caller, left)
        else held.delete(caller)
      }
    },
  }
}
