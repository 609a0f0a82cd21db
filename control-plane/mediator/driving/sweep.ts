import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverOptions } from './driver.ts'

/** Removes what was shown long enough, until the signal aborts. */
export async function sweep(
  options: Pick<DriverOptions, 'caches' | 'ports' | 'projection' | 'store' | 'log'>,
  ttlMs: number,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { caches, ports, projection, store, log } = options
  while (!signal.aborted) {
    for (const known of caches.intents.values()) {
      const old = ports.clock.now() - Date.parse(known.createdAt) > ttlMs
      const row = known.deleting || old ? await store.intent(known.name) : undefined
      if (row?.terminal !== true) continue
      const approvals = ports.cluster.approvalsOf('Intent', known.name)
      await projection.remove(known, approvals).catch((err: unknown) => {
        log.warn({ err, intentId: known.name }, 'intent object not removed yet')
      })
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}
