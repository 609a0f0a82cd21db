import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import { readRecord } from '../memory/histories.ts'
import type { Clock } from '../ports.ts'
import { type Aggregation, aggregation } from './aggregation.ts'

const flushMs = 1000

export interface StartAggregation {
  readonly store: Store
  readonly clock: Clock
  readonly clusterUid: string
  readonly metrics: Metrics
}

export async function startAggregation(options: StartAggregation): Promise<Aggregation> {
  const { store, clock, clusterUid, metrics } = options
  const counted = metrics.counter(
    'jackstay_refusals_aggregated_total',
    'refusals that share a leaf with others of the same agent for the same reason',
  )
  return await aggregation({
    ...{ store, clock, clusterUid },
    read: (id) => readRecord(store, id),
    hasLeaf: async (id) => (await store.events(id)).some((event) => event.leafIndexes.length > 0),
    onAggregated: (count) => counted.inc({}, count),
  })
}

/** Flushes once a second until the signal aborts; what is left then is found after the next start. */
export async function flushing(running: Aggregation, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await running.flush().catch((err: unknown) => {
      log.error({ err }, 'the leaf of aggregated refusals is not written yet')
    })
    await sleep(flushMs, undefined, { signal }).catch(() => undefined)
  }
}
