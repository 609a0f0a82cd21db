import { durationSeconds } from '@jackstay/contract/duration'
import { type ChangeWindowSpec, instantMs } from '@jackstay/contract/kinds/change-window'
import type { WindowFact } from '../facts.ts'
import { readCron } from './cron-line.ts'
import { checkZone, instantsOf } from './local-time.ts'
import { type Read, readRecurrence } from './recurrence.ts'

export interface NamedWindow {
  readonly name: string
  readonly spec: ChangeWindowSpec
}

/** Open from `from` to before `until`, in milliseconds since the epoch. */
export interface Opening {
  readonly from: number
  readonly until: number
}

/** A window ready to be asked. Made by `compileWindow` alone. */
export interface CompiledWindow extends NamedWindow {
  /** Why it cannot be read; it is then as strict as its effect can be. */
  readonly problem?: string
  /** Every opening that has a part in the time from `from` to before `to`, in order. */
  readonly openings: (from: number, to: number) => readonly Opening[]
}

/** Openings that touch or overlap, as one. Without `until` it does not close within 60 days. */
export interface Span {
  readonly from: number
  readonly until?: number
}

const hour = 3600_000
const day = 24 * hour
/** No clock on a wall is further from UTC. */
const furthest = 16 * hour
/** A span is not followed further. */
const longestSpan = 60 * day
/** An opening further off than ten years is not looked for. */
const horizon = 3653 * day
/** Most spans of one preview. */
const maxSpans = 100

/** What rules see where no window is defined: nothing is open, and nothing frozen. */
export const noWindows: WindowFact = { open: false, frozen: false, breakGlass: false, names: [] }

/** Never throws: a window that cannot be read says why. */
export function compileWindow({ name, spec }: NamedWindow): CompiledWindow {
  const { once, rrule, cron, duration = '', timeZone = '', effect } = spec
  const broken = (problem: string) => ({ name, spec, problem, openings: () => [] })
  if (once !== undefined) {
    const [from, until] = [instantMs(once.from), instantMs(once.until)]
    if (!(from < until)) return broken('`once.until` is not after `once.from`')
    return { name, spec, openings: (a, b) => (from < b && until > a ? [{ from, until }] : []) }
  }
  try {
    checkZone(timeZone)
  } catch {
    return broken(`there is no time zone \`${timeZone}\`; name one like \`Europe/Berlin\``)
  }
  const lasts = durationSeconds(duration) * 1000
  if (lasts < 60_000) return broken(`\`${duration}\` is no duration of a minute or more`)
  const read = readSchedule(rrule, cron)
  if ('problem' in read) return broken(read.problem)
  const { between, until = Number.POSITIVE_INFINITY } = read.recurrence
  const edge = effect === 'freeze' ? 'strict' : 'lenient'
  const openings = (from: number, to: number) =>
    between(from - lasts - furthest, to + furthest)
      .flatMap((wall) => instantsOf(wall, timeZone, edge))
      .filter((start) => start <= until && start < to && start + lasts > from)
      .sort((a, b) => a - b)
      .map((start) => ({ from: start, until: start + lasts }))
  return { name, spec, openings: remembered(openings) }
}

function readSchedule(rrule: ChangeWindowSpec['rrule'], cron: string | undefined): Read {
  if (rrule !== undefined) return readRecurrence(rrule.rule, rrule.start)
  return cron === undefined ? { problem: 'a window needs a schedule' } : readCron(cron)
}

/** The openings of the day asked about last are kept: decisions come in crowds. */
function remembered(openings: CompiledWindow['openings']): CompiledWindow['openings'] {
  let last: { readonly of: number; readonly all: readonly Opening[] } | undefined
  return (from, to) => {
    const of = Math.floor(from / day)
    if (to > (of + 1) * day) return openings(from, to)
    if (last?.of !== of) last = { of, all: openings(of * day, (of + 1) * day) }
    return last.all.filter((o) => o.from < to && o.until > from)
  }
}

/** Whether the window is open at an instant: from its opening on, and no longer at its end (T28). */
export function isOpen(window: CompiledWindow, at: number): boolean {
  return window.openings(at, at + 1).length > 0
}

/** The next spans in which the window is open, the present one included; 100 at most. */
export function preview(window: CompiledWindow, at: number, count: number): readonly Span[] {
  const spans: Span[] = []
  let open: Opening | undefined
  for (const next of following(window, at)) {
    if (open !== undefined && next.from > open.until) {
      spans.push(open)
      open = undefined
      if (spans.length >= Math.min(count, maxSpans)) return spans
    }
    open = { from: open?.from ?? next.from, until: Math.max(open?.until ?? 0, next.until) }
    if (open.until - Math.max(at, open.from) > longestSpan && window.spec.once === undefined) {
      return [...spans, { from: open.from }]
    }
  }
  return open === undefined ? spans : [...spans, open]
}

/** Whether it is open, and when that changes; undefined where that is not in sight. */
export function nextChange(
  window: CompiledWindow,
  at: number,
): { readonly open: boolean; readonly at: number | undefined } {
  const open = isOpen(window, at)
  const [span] = preview(window, at, 1)
  return { open, at: open ? span?.until : span?.from }
}

/** All openings from an instant on, in order, looked for in longer and longer steps. */
function* following(window: CompiledWindow, at: number): Generator<Opening> {
  let step = 8 * day
  for (let from = at; from < at + horizon; from += step, step = Math.min(4 * step, 128 * day)) {
    for (const opening of window.openings(from, from + step)) {
      // one that began in an earlier step was given there
      if (opening.from >= from || from === at) yield opening
    }
  }
}

export interface WindowQuestion {
  readonly action: string
  /** The target's. */
  readonly namespace: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/**
 * What all windows together say about a change at an instant. A freeze beats any number of allow
 * windows, a break-glass window beats a freeze, and says so; what nobody opened is not open. A
 * freeze that cannot be read is in force. Total: where anything fails, everything is frozen.
 */
export function windowFact(
  windows: readonly CompiledWindow[],
  { action, namespace, at }: WindowQuestion,
): WindowFact {
  try {
    if (Number.isNaN(new Date(at).getTime())) throw new RangeError('no instant')
    const inForce = windows
      .filter(({ spec }) => covers(spec.actions, action) && covers(spec.namespaces, namespace))
      .filter((w) => (w.problem === undefined ? isOpen(w, at) : w.spec.effect === 'freeze'))
    const some = (effect: ChangeWindowSpec['effect']) =>
      inForce.some(({ spec }) => spec.effect === effect)
    const breakGlass = some('breakGlass')
    const frozen = some('freeze') && !breakGlass
    const open = breakGlass || (some('allow') && !frozen)
    return { open, frozen, breakGlass, names: inForce.map((w) => w.name).sort() }
  } catch {
    // an instant or a rule that cannot be reckoned with must not read as an open door
    return { open: false, frozen: true, breakGlass: false, names: [] }
  }
}

/** Whether a list of names or `*` has the value. */
export function covers(named: readonly string[], value: string): boolean {
  return named.includes('*') || named.includes(value)
}
