import { z } from 'zod'

const value = z.union([z.number(), z.string(), z.boolean(), z.null()])

const change = z.strictObject({
  /** Milliseconds. */
  at: z.number(),
  /** The agent. */
  by: z.string(),
  /** The field's value, or a digest where it is large. */
  before: value,
  after: value,
})
export type Change = Readonly<z.infer<typeof change>>

/** The latest changes of one field of one object, oldest first. */
export const swingState = z.strictObject({ changes: z.array(change) })
export type SwingState = Readonly<z.infer<typeof swingState>>

export interface SwingRule {
  /** Changes longer ago do not count. */
  readonly withinMs: number
  /** So many turns stop the next one. */
  readonly turns: number
}

export interface Swing {
  /** Turns within the time, this change counted. */
  readonly turns: number
  readonly tripped: boolean
  /** The agents whose changes turn, in order. */
  readonly by: readonly string[]
}

/** Changes kept of one field. */
const maxChanges = 64

/**
 * Whether a change would be one more swing of the same field: two agents that take turns, or one
 * that cannot make up its mind (T27). A change is a turn when it goes back to a value that the
 * field had within the time, or when it moves a number against the change before it. Steps in one
 * direction are none, however many.
 */
export function swings(state: SwingState | undefined, next: Change, rule: SwingRule): Swing {
  const changes = recent(state, next, rule)
  const turning = changes.filter((c, i) => turns(c, changes.slice(0, i)))
  const by = [...new Set(turning.map((c) => c.by))].sort()
  const last = changes.at(-1)
  const itself = last !== undefined && turning.includes(last)
  // written so that numbers that are none trip
  const tripped = !(turning.length < rule.turns) && (itself || !(rule.turns >= 1))
  return { turns: turning.length, tripped, by }
}

/** The state after a change that was made. */
export function swung(state: SwingState | undefined, made: Change, rule: SwingRule): SwingState {
  return { changes: recent(state, made, rule).slice(-maxChanges) }
}

/** The change after those not too long before it; a clock that goes back makes nothing old. */
function recent(state: SwingState | undefined, next: Change, { withinMs }: SwingRule): Change[] {
  const earlier = state?.changes ?? []
  const at = Math.max(next.at, ...earlier.map((c) => c.at))
  // written so that a time that is none forgets nothing
  return [...earlier.filter((c) => !(c.at < at - withinMs)), { ...next, at }]
}

function turns({ before, after }: Change, earlier: readonly Change[]): boolean {
  const last = earlier.at(-1)
  if (last === undefined || after === before) return false
  const had = earlier.flatMap((c) => [c.before, c.after])
  return had.includes(after) || direction(last) * direction({ before, after }) < 0
}

/** 1 up, -1 down, 0 where there is no up and down. */
function direction({ before, after }: Pick<Change, 'before' | 'after'>): number {
  return typeof before === 'number' && typeof after === 'number' ? Math.sign(after - before) : 0
}
