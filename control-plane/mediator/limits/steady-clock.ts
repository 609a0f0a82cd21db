import type { Clock } from '../ports.ts'

/** A wall clock this much ahead of or behind its own pace has jumped. */
const jumpMs = 5_000
/** After so long at its new pace a clock that jumped is believed again. */
const believedMs = 3600_000

export interface SteadyClock extends Clock {
  /** How far the wall clock is ahead of this one; 0 while nothing jumped. */
  ahead(): number
}

export interface SteadyClockOptions {
  readonly wall: Clock
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number
  readonly onJump: (byMs: number) => void
}

/**
 * The wall clock without its jumps: it goes on at the pace of a clock that nobody sets. What counts
 * by it refills by time that passed, not by time that somebody set (T09). A wall clock that jumped
 * and then kept its pace for an hour is believed: it was set right, or the machine slept.
 */
export function steadyClock({ wall, monotonic, onJump }: SteadyClockOptions): SteadyClock {
  /** Wall minus monotonic: the believed one, and the one of the latest jump. */
  let believed = wall.now() - monotonic()
  let doubted: { readonly offset: number; readonly since: number } | undefined
  const now = () => {
    const at = monotonic()
    const offset = wall.now() - at
    if (Math.abs(offset - believed) <= jumpMs) {
      doubted = undefined
      return believed + at
    }
    if (doubted === undefined || Math.abs(offset - doubted.offset) > jumpMs) {
      doubted = { offset, since: at }
      onJump(offset - believed)
    }
    if (at - doubted.since < believedMs) return believed + at
    believed = offset
    doubted = undefined
    return believed + at
  }
  const ahead = () => {
    const by = wall.now() - now()
    return Math.abs(by) <= jumpMs ? 0 : by
  }
  return { now, ahead }
}
