import { setTimeout as sleep } from 'node:timers/promises'
import { Turns } from '@jackstay/service/turns'

/** Milliseconds that one who floods waits for each no, on average. */
const lateMs = 500
/** Held at once of one caller: as many as he may have connections. More come only of not waiting for answers. */
const perCaller = 64

/** Holds back the answers to a flood: who waits for each before he asks again takes little time from others. */
export interface LateAnswers {
  /** Resolves when the answer is due, or nobody waits for it any more; false at once where too many wait. */
  due(caller: string, signal: AbortSignal): Promise<boolean>
}

export function lateAnswers(ms: number = lateMs): LateAnswers {
  const turns = new Turns(perCaller, (held) => `${held} answers are held back already`)
  return {
    async due(caller, signal) {
      if (turns.isFull(caller)) return false
      // who has gone needs no answer
      const wait = () =>
        sleep(someTime(ms), undefined, { signal, ref: false }).catch(() => undefined)
      await turns.take(caller, wait)
      return true
    },
  }
}

/** Never the same: else all connections of a flood ask again in the same moment, and others wait for all. */
function someTime(ms: number): number {
  return ms * (0.5 + Math.random())
}
