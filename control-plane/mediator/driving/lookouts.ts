import type { Wake } from '../line/step.ts'

/** With many that wait, each looks less often by itself: ten in a second, all together. */
const perLookMs = 100

interface Entry {
  readonly wake: Wake
  readonly targetUid: string | undefined
  /** On the monotonic clock: one that is set back must not delay anybody (T09). */
  readonly dueAt: number
}

/** The same moment on both clocks. */
export interface Moment {
  /** Milliseconds since the epoch, as a {@link Wake} counts. */
  readonly wall: number
  readonly monotonic: number
}

export type Waiter = readonly [id: string, wake: Wake]

/** Intents that wait: for what, and until when. */
export interface Lookouts {
  /** @returns in how many milliseconds it looks again by itself */
  park(id: string, wake: Wake, targetUid: string | undefined, now: Moment): number
  /** It is being worked on. */
  leave(id: string): void
  has(id: string): boolean
  on(what: Wake['on'][number]): readonly Waiter[]
  /** Those that wait for changes of this target. */
  onTarget(uid: string): readonly Waiter[]
  /** Those whose time has come, by the monotonic clock. */
  due(monotonic: number): readonly Waiter[]
}

export function lookouts(): Lookouts {
  const waiting = new Map<string, Entry>()
  const byTarget = new Map<string, Set<string>>()
  const leave = (id: string) => {
    const uid = waiting.get(id)?.targetUid
    waiting.delete(id)
    if (uid === undefined) return
    const others = byTarget.get(uid)
    others?.delete(id)
    if (others?.size === 0) byTarget.delete(uid)
  }
  return {
    leave,
    park(id, wake, targetUid, now) {
      leave(id)
      const { at, recheckMs } = wake
      const left = at - now.wall
      const again = Math.max(recheckMs ?? 0, waiting.size * perLookMs)
      const ms = recheckMs === undefined ? left : Math.min(left, again)
      waiting.set(id, { wake, targetUid, dueAt: now.monotonic + ms })
      if (targetUid !== undefined && wake.on.includes('target')) {
        byTarget.set(targetUid, (byTarget.get(targetUid) ?? new Set()).add(id))
      }
      return ms
    },
    has: (id) => waiting.has(id),
    on: (what) => waiters(waiting, ({ wake }) => wake.on.includes(what)),
    onTarget: (uid) =>
      [...(byTarget.get(uid) ?? [])].flatMap((id): readonly Waiter[] => {
        const entry = waiting.get(id)
        return entry === undefined ? [] : [[id, entry.wake]]
      }),
    due: (monotonic) => waiters(waiting, ({ dueAt }) => dueAt <= monotonic),
  }
}

function waiters(
  waiting: ReadonlyMap<string, Entry>,
  which: (entry: Entry) => boolean,
): readonly Waiter[] {
  const found: Waiter[] = []
  for (const [id, entry] of waiting) if (which(entry)) found.push([id, entry.wake])
  return found
}
