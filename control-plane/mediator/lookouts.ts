import type { Wake } from './step.ts'

/** With many that wait, each looks less often by itself: ten in a second, all together. */
const perLookMs = 100

interface Entry {
  readonly wake: Wake
  readonly targetUid: string | undefined
  readonly dueAt: number
}

export type Waiter = readonly [id: string, wake: Wake]

/** Intents that wait: for what, and until when. */
export interface Lookouts {
  /** @returns when it looks again by itself, in milliseconds since the epoch */
  park(id: string, wake: Wake, targetUid: string | undefined, now: number): number
  /** It is being worked on. */
  leave(id: string): void
  has(id: string): boolean
  on(what: Wake['on'][number]): readonly Waiter[]
  /** Those that wait for changes of this target. */
  onTarget(uid: string): readonly Waiter[]
  /** Those whose time has come. */
  due(now: number): readonly Waiter[]
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
      const again = now + Math.max(recheckMs ?? 0, waiting.size * perLookMs)
      const dueAt = recheckMs === undefined ? at : Math.min(at, again)
      waiting.set(id, { wake, targetUid, dueAt })
      if (targetUid !== undefined && wake.on.includes('target')) {
        byTarget.set(targetUid, (byTarget.get(targetUid) ?? new Set()).add(id))
      }
      return dueAt
    },
    has: (id) => waiting.has(id),
    on: (what) => waiters(waiting, ({ wake }) => wake.on.includes(what)),
    onTarget: (uid) =>
      [...(byTarget.get(uid) ?? [])].flatMap((id): readonly Waiter[] => {
        const entry = waiting.get(id)
        return entry === undefined ? [] : [[id, entry.wake]]
      }),
    due: (now) => waiters(waiting, ({ dueAt }) => dueAt <= now),
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
