import type { Trigger } from '@jackstay/contract/trigger'
import type { Clock } from './intent.ts'
import type { Line } from './line.ts'

/** One alert as it came to this Pod; the same alert comes again when its lease ran out unanswered. */
export interface Delivery {
  /** Numbers of one run of the sidecar, so that a stream can go on where it was cut. */
  readonly id: string
  readonly at: number
  readonly trigger: Trigger
}

/**
 * The alerts leased to this Pod. The control plane hands each one out once per lease; whoever asks
 * here later, or lost its connection, still sees it.
 */
export interface Inbox {
  /** Asks the control plane for new ones. */
  pull(wait: number, signal: AbortSignal): Promise<readonly Trigger[]>
  /** Those whose lease this Pod has, oldest first. */
  held(): readonly Delivery[]
  /** Those after a delivery; everything held where that one is not known. */
  after(id: string | undefined): readonly Delivery[]
}

/** As the control plane leases them. */
const leaseMs = 5 * 60_000
const kept = 64

export function inboxOf(line: Pick<Line, 'triggers'>, clock: Clock, run: string): Inbox {
  let deliveries: readonly Delivery[] = []
  let last = 0
  const held = () => deliveries.filter(({ at }) => clock.now() - at < leaseMs)
  return {
    async pull(wait, signal) {
      const { triggers } = await line.triggers(wait, signal)
      const fresh = triggers.map((trigger) => ({
        id: `${run}-${++last}`,
        at: clock.now(),
        trigger,
      }))
      const ids = new Set(triggers.map(({ id }) => id))
      const others = held().filter(({ trigger }) => !ids.has(trigger.id))
      deliveries = [...others, ...fresh].slice(-kept)
      return triggers
    },
    held,
    after(id) {
      const [from, number] = id?.split('-') ?? []
      if (from !== run) return held()
      return held().filter((one) => Number(one.id.split('-')[1]) > Number(number))
    },
  }
}
