import type { WindowFact } from '../facts.ts'
import {
  type CompiledWindow,
  covers,
  nextChange,
  type WindowQuestion,
  windowFact,
} from './windows.ts'

/** Two clocks that disagree are both believed where they say no: what one of them shuts is shut. */
export interface DoubtedQuestion extends Omit<WindowQuestion, 'at'> {
  /** One instant, or all that it may be; milliseconds since the epoch. */
  readonly at: readonly number[]
}

/** What all windows say at every instant that it may be, as strictly as any of them. */
export function strictestFact(
  windows: readonly CompiledWindow[],
  { at, ...question }: DoubtedQuestion,
): WindowFact {
  const facts = at.map((one) => windowFact(windows, { ...question, at: one }))
  const every = (is: (fact: WindowFact) => boolean) => facts.length > 0 && facts.every(is)
  return {
    open: every((fact) => fact.open),
    frozen: !every((fact) => !fact.frozen),
    breakGlass: every((fact) => fact.breakGlass),
    names: [...new Set(facts.flatMap((fact) => fact.names))].sort(),
  }
}

/**
 * Why windows alone let no change be made, in words, or undefined. A freeze in force shuts; and
 * where any allow window names the action and the namespace, so does the time outside of all of
 * them, as a network policy that selects a Pod shuts what it does not allow. Where no window names
 * them, windows say nothing. Where clocks disagree, the words are about the first that says no.
 */
export function closedBy(
  windows: readonly CompiledWindow[],
  { at, ...question }: DoubtedQuestion,
): string | undefined {
  const about = windows.filter(
    ({ spec }) =>
      covers(spec.actions, question.action) && covers(spec.namespaces, question.namespace),
  )
  // what was asked about no instant at all is shut, as one that cannot be reckoned with is
  const asked = at.length > 0 ? at : [Number.NaN]
  for (const one of asked) {
    const why = closedAt(about, { ...question, at: one })
    if (why === undefined) continue
    return at.length > 1 ? `${why}; clocks disagree, this is by the one at ${instant(one)}` : why
  }
  return undefined
}

/** The windows are those about the question. */
function closedAt(about: readonly CompiledWindow[], question: WindowQuestion): string | undefined {
  const { at } = question
  const fact = windowFact(about, question)
  if (fact.frozen) {
    const freezes = about.filter((w) => w.spec.effect === 'freeze' && fact.names.includes(w.name))
    const [freeze] = freezes
    if (freeze === undefined) return 'what the windows say cannot be reckoned with now'
    const why = freeze.problem ?? freeze.spec.reason
    return `frozen by the window ${named(freezes)}${why === undefined ? '' : ` (${why})`}${until(freeze, at)}`
  }
  const allows = about.filter(({ spec }) => spec.effect === 'allow')
  if (allows.length === 0 || fact.open) return undefined
  const broken = allows.find(({ problem }) => problem !== undefined)
  const because =
    broken === undefined ? '' : `; \`${broken.name}\` cannot be read: ${broken.problem}`
  return `outside of every window that allows it: ${named(allows)}${opens(allows, at)}${because}`
}

const mostNames = 3

function named(windows: readonly CompiledWindow[]): string {
  const rest = windows.length > mostNames ? ` and ${windows.length - mostNames} more` : ''
  return `${windows
    .slice(0, mostNames)
    .map(({ name }) => `\`${name}\``)
    .join(', ')}${rest}`
}

function until(window: CompiledWindow, at: number): string {
  const end = window.problem === undefined ? nextChange(window, at).at : undefined
  return end === undefined ? '' : `, until ${instant(end)}`
}

function opens(windows: readonly CompiledWindow[], at: number): string {
  const times = windows.flatMap((w) => {
    const { open, at: next } = nextChange(w, at)
    return open || next === undefined ? [] : [next]
  })
  return times.length === 0 ? '' : `; the next opens at ${instant(Math.min(...times))}`
}

function instant(ms: number): string {
  if (Number.isNaN(new Date(ms).getTime())) return 'no time at all'
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}
