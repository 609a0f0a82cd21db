import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'

const lookMs = 1000

export interface WatchHindrance {
  readonly store: Pick<Store, 'hindrance'>
  readonly log: Log
  readonly metrics: Metrics
  readonly signal: AbortSignal
}

/** Why the ledger takes nothing new, as it stood when it was last asked. */
export interface Hindrance {
  /** In words for people; undefined while it does. */
  now(): string | undefined
  /** Asks once a second until the signal aborts: nobody may write while people are told why not. */
  run(): Promise<void>
}

export function watchHindrance({ store, log, metrics, signal }: WatchHindrance): Hindrance {
  let known: string | undefined
  metrics.gaugeOf(
    'jackstay_ledger_hindered',
    '1 while the ledger takes no new work, as on a full disk',
    () => (known === undefined ? 0 : 1),
  )
  const look = async () => {
    const found = await store.hindrance()
    if (found !== known && found !== undefined)
      log.error({ why: found }, 'the ledger takes nothing')
    if (found === undefined && known !== undefined) log.info('the ledger takes new work again')
    known = found
  }
  return {
    now: () => known,
    async run() {
      while (!signal.aborted) {
        await look().catch((err: unknown) => log.warn({ err }, 'the ledger was not asked'))
        await sleep(lookMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}
