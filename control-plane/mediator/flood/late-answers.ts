import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that one who floods waits for each no: as many connections as he has, so many a second. */
const lateMs = 500
/** Held at once of one caller: as many as he may have connections. More come only of not waiting for answers. */
const perCaller = 64

/** Holds back the answers to a flood: who waits for each before he asks again takes little time from others. */
export interface LateAnswers {
  /** Resolves when the answer is due, or nobody waits for it any more; false at once where too many wait. */
  due(caller: string, signal: AbortSignal): Promise<boolean>
}

export function lateAnswers(ms: number = lateMs): LateAnswers {
  /** Bounded by the connections of known callers. */
  const held = new Map<string, number>()
  return {
    async due(caller, signal) {
      const count = held.get(caller) ?? 0
      if (count >= perCaller) return false
      held.set(caller, count + 1)
      // who has gone needs no answer
      await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
      const left = (held.get(caller) ?? 1) - 1
      if (left > 0) held.set(caller, left)
      else held.delete(caller)
      return true
    },
  }
}
