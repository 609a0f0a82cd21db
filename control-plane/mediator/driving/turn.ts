import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import type { Wake } from '../line/step.ts'
import { claimedHistory, claimMs } from '../memory/histories.ts'
import { advance } from '../pipeline.ts'
import type { DriverOptions } from './driver.ts'

const renewMs = 5_000

/** An intent that began here and is still held by its first claim. */
export interface Fresh {
  readonly record: IntentRecord
  readonly fence: number
  /** On the monotonic clock. */
  readonly since: number
}

/** One that waited long for its turn may have lost its claim meanwhile. */
async function stillHeld(
  begun: Fresh | undefined,
  { store }: DriverOptions,
): Promise<Fresh | undefined> {
  if (begun === undefined || performance.now() - begun.since < renewMs) return begun
  return (await store.renew(begun.record.id, begun.fence, claimMs)) ? begun : undefined
}

/** Tells who wants to know what has come on record. */
export function onRecord(
  record: IntentRecord,
  { changes, note, onEnd }: Pick<DriverOptions, 'changes' | 'note' | 'onEnd'>,
): void {
  changes.notify(record.id)
  note(record)
  if (hasEnded(record)) onEnd(record)
}

/** Takes one intent as far as it goes now, under its claim: the one it began with, or a new one. */
export async function takeTurn(
  id: string,
  options: DriverOptions,
  fresh: Fresh | undefined,
): Promise<{ readonly wake: Wake | undefined; readonly targetUid: string | undefined }> {
  const { store, ports, projection, holder } = options
  const begun = await stillHeld(fresh, options)
  const claim = begun ?? (await store.claim(id, holder, claimMs))
  if (claim === undefined) {
    // somebody else is at it, or was until it died: its claim runs out
    return { wake: { on: [], at: ports.clock.now() + 1000 }, targetUid: undefined }
  }
  const renewal = setInterval(() => {
    // a lost claim shows at the next append, which checks the fence in its own transaction
    store.renew(id, claim.fence, claimMs).catch((err: unknown) => {
      options.log.warn({ err, intentId: id }, 'claim not renewed')
    })
  }, renewMs)
  let released = false
  try {
    const history = claimedHistory(options, claim.fence, (record) => {
      released = hasEnded(record)
      onRecord(record, options)
    })
    const append = options.refusals.around(history.append)
    const around = { ...ports, history: { ...history, append } }
    const { record, wake } = await advance(id, around, begun?.record)
    ports.allowances.note(record)
    await projection.show(record, ports.cluster.intentObject(id))
    return { wake, targetUid: record.planned?.plan.target.uid }
  } finally {
    clearInterval(renewal)
    if (!released) await store.release(id, claim.fence)
  }
}
