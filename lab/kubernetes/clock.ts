import type { KubeObject } from './objects.ts'
import { timestamp } from './timestamp.ts'

/** Where and how fast a lab's time goes. */
export interface Pace {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How many seconds of a start, a back-off or a deadline go by in one; 1. At most `maxSpeed`. */
  readonly speed?: number | undefined
}

/** Beyond it a write takes longer than what the lab is to wait for. */
export const maxSpeed = 100

/** Stamps kept to the millisecond; whoever is forgotten goes by whole seconds. */
const remembered = 20_000

/** How something of the lab is told the time: stamps of its own, and how long ago one was. */
export interface Stamps {
  /** The present as objects tell it; `what` names the moment for `elapsed`. */
  stamp(what: string): string
  /** The lab's milliseconds since a moment that an object tells; NaN where it tells none. */
  elapsed(what: string, stamp: string): number
}

/**
 * The time that controllers and kubelets go by. What is stamped on objects is the real time, for whoever
 * reads them compares it with his own clock; what the lab waits for goes by `speed` times as fast.
 */
export class LabClock implements Stamps {
  readonly now: () => number
  readonly #speed: number
  readonly #began: number
  /** Objects tell whole seconds, and at a high speed a back-off is shorter than that. */
  readonly #stamps = new Map<string, number>()

  constructor({ now, speed = 1 }: Pace) {
    this.now = now
    this.#speed = speed
    this.#began = now()
  }

  stamp(what: string): string {
    const now = this.now()
    this.#stamps.delete(what)
    this.#stamps.set(what, now)
    const [oldest] = this.#stamps.keys()
    if (this.#stamps.size > remembered && oldest !== undefined) this.#stamps.delete(oldest)
    return timestamp(now)
  }

  elapsed(what: string, stamp: string): number {
    const known = this.#stamps.get(what)
    const then = known !== undefined && timestamp(known) === stamp ? known : Date.parse(stamp)
    return (this.now() - then) * this.#speed
  }

  /** Of one object: its moments apart from those of all others. */
  of({ metadata: { uid = '' } }: KubeObject): Stamps {
    return {
      stamp: (what) => this.stamp(`${uid}/${what}`),
      elapsed: (what, stamp) => this.elapsed(`${uid}/${what}`, stamp),
    }
  }

  /** How long to wait for so many of the lab's milliseconds to go by. */
  real(ms: number): number {
    return ms / this.#speed
  }

  /** What the lab's calendar says at a moment; at a speed of 1 it is the real one. */
  calendar(moment = this.now()): number {
    return this.#began + (moment - this.#began) * this.#speed
  }

  /** The moment at which the calendar says that. */
  moment(calendar: number): number {
    return this.#began + (calendar - this.#began) / this.#speed
  }
}

/** Steps of the machine's clock up to here are held back until it has caught up. */
const heldMs = 60_000

/** A clock that does not step back, unless the machine's was set to another time altogether. */
export function steady(now: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY
  return () => {
    const at = now()
    last = last - at > heldMs ? at : Math.max(last, at)
    return last
  }
}
