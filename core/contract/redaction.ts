import { z } from 'zod'
import type { EventType } from './history.ts'
import type { Json } from './json.ts'

/**
 * What may have to be erased from an intent one day, by the names that leaves seal it under.
 * `reasoning`: what the agent said. `params`: what it asked for, the JWS with it. `trigger`: labels
 * and annotations of the alert. `plan`: values before and after. `facts`: what rules looked at.
 * `messages`: every text that may quote one of the others, and reasons people gave.
 */
export const erasableNames = [
  'reasoning',
  'params',
  'trigger',
  'plan',
  'facts',
  'messages',
] as const
export type ErasableName = (typeof erasableNames)[number]

/** By name, the redaction leaf that says who erased it and why. */
export const redactions = z.partialRecord(z.enum(erasableNames), z.int().min(0))
export type Redactions = z.infer<typeof redactions>

/** Stands where a text was erased and a text has to be. The event's `redacted` says which leaf. */
export const erasedText = '[redacted]'

/** What shows a value must go with it: a plan and the facts of rules repeat the parameters. */
const implied: { readonly [name: string]: readonly string[] } = {
  params: ['plan', 'facts', 'messages'],
  plan: ['facts', 'messages'],
}

/** The names with everything that repeats what they stand for, each once. */
export function withImplied(names: readonly string[]): readonly string[] {
  return [...new Set(names.flatMap((name) => [name, ...(implied[name] ?? [])]))]
}

type Body = { readonly [key: string]: Json }
type Erase = (body: Body) => Body

const isBody = (value: Json | undefined): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

const without =
  (key: string): Erase =>
  ({ [key]: _, ...rest }) =>
    rest

/** Only what is there is erased, so that nothing absent looks as if it had been. */
const set =
  (key: string, value: Json): Erase =>
  (body) =>
    key in body ? { ...body, [key]: value } : body

const inside =
  (key: string, ...steps: readonly Erase[]): Erase =>
  (body) => {
    const part = body[key]
    return isBody(part) ? { ...body, [key]: all(...steps)(part) } : body
  }

const each =
  (key: string, ...steps: readonly Erase[]): Erase =>
  (body) => {
    const list = body[key]
    if (!isList(list)) return body
    return { ...body, [key]: list.map((item) => (isBody(item) ? all(...steps)(item) : item)) }
  }

const all =
  (...steps: readonly Erase[]): Erase =>
  (body) =>
    steps.reduce((before, step) => step(before), body)

const value = set('value', { is: erasedText })
const plan = inside(
  'plan',
  set('summary', erasedText),
  set('reads', []),
  set('observed', {}),
  each(
    'writes',
    set('body', null),
    each('before', value),
    each('after', value),
    inside('inverse', set('body', null)),
  ),
)
const decision = inside(
  'decision',
  set('reason', erasedText),
  each('fired', set('message', erasedText)),
)
const approvals = each('approvals', set('reason', erasedText))
const message = set('message', erasedText)
const facts = without('grounds')
const trigger = all(set('labels', {}), set('annotations', {}), set('groupKey', ''))

/** Where each kind of value stands in each event. A new event has to say it here. */
const places: { readonly [T in EventType]: { readonly [N in ErasableName]?: Erase } } = {
  authenticated: {
    reasoning: without('reasoning'),
    params: all(inside('claims', set('params', {})), without('jws')),
    trigger: inside('trigger', trigger),
  },
  admitted: {},
  planned: { plan },
  decided: { facts, messages: decision },
  rehearsed: { plan, facts, messages: decision },
  approved: { messages: approvals },
  dispatched: { messages: decision },
  written: { messages: message },
  executed: {},
  undoing: { messages: message },
  undoDispatched: {},
  undone: { messages: message },
  ended: { plan: without('observed'), facts, messages: all(message, decision, approvals) },
}

/**
 * A stored event without the values of these names, marked with the redaction leaf; the same one
 * where it holds none of them. What stays still reads and folds.
 */
export function redactEvent(
  type: string,
  data: Json,
  names: readonly string[],
  leaf: number,
): Json {
  const known: { readonly [type: string]: { readonly [name: string]: Erase } } = places
  if (!isBody(data)) return data
  const { redacted, ...rest } = data
  const marks: { [name: string]: Json } = isBody(redacted) ? { ...redacted } : {}
  let body: Body = rest
  for (const [name, erase] of Object.entries(known[type] ?? {})) {
    if (!names.includes(name) || name in marks) continue
    const erased = erase(body)
    if (JSON.stringify(erased) === JSON.stringify(body)) continue
    marks[name] = leaf
    body = erased
  }
  return Object.keys(marks).length === 0 ? data : { ...body, redacted: marks }
}

/** An alert as it lies where agents are offered it, without anybody's words. */
export function redactTrigger(data: Json): Json {
  return isBody(data) ? trigger(data) : data
}

/** The alert an intent stands on, as its first event tells. */
export function triggerIdOf(type: string, data: Json): string | undefined {
  const alert = type === 'authenticated' && isBody(data) ? data.trigger : undefined
  const id = isBody(alert) ? alert.id : undefined
  return typeof id === 'string' ? id : undefined
}
