import type { Change, ExplainedRule, Explanation, Turn } from '@jackstay/judge/explain'
import type { Leaf, Need, ReadFact } from '@jackstay/judge/trace'
import { type Line, type Style, section, styled } from '../screen.ts'
import type { Situation } from './cases.ts'

/** Characters of one value, and rules and values of one kind, as a person reads them. */
const longest = 160
const most = 20

/** An explanation for people. Pure. */
export function explanationLines(explanation: Explanation, { facts }: Situation): Line[] {
  const { decision, outcome, rules, cause, changes } = explanation
  const named = rules.filter(({ id }) => cause.rules.includes(id))
  const spoke = named.filter(({ outcome }) => outcome !== 'not_matched')
  const shown = spoke.length > 0 ? spoke : named
  const others = rules.filter((rule) => !shown.includes(rule))
  const blank: Line[] = [[]]
  return [
    [styled(styleOf(outcome), outcome), ` — ${decision.reason}`],
    [styled('dim', facts.plan.summary)],
    ...blank,
    ...section('Because', [
      ...firstOf(shown.map(ruleLines)),
      ...cause.besides.map((text) => [text]),
    ]),
    ...(cause.values.length === 0 ? [] : section('Values', firstOf(cause.values.map(valueLine)))),
    ...blank,
    ...changes.flatMap((change) => section(changeTitles[change.to], changeLines(change))),
    ...(others.length === 0
      ? []
      : [...blank, ...section('Other rules', firstOf(others.map((rule) => [headOf(rule)])))]),
  ]
}

function styleOf(outcome: Explanation['outcome']): Style {
  if (outcome === 'deny') return 'red'
  return outcome === 'allow' ? 'green' : 'yellow'
}

function firstOf(blocks: readonly (readonly Line[])[]): Line[] {
  const more = blocks.length - most
  const shown = blocks.slice(0, most).flat()
  return more > 0 ? [...shown, [styled('dim', `and ${more} more; -o json has them`)]] : shown
}

function headOf({ id, effect, mode, outcome, message }: ExplainedRule): Line {
  const what = { matched: 'matched', not_matched: 'did not match', error: 'failed' }[outcome]
  return [
    styled('bold', id),
    ` ${effect}, ${what}`,
    mode === 'audit' ? styled('yellow', ' (audit only)') : '',
    message === undefined || outcome === 'not_matched' ? '' : `: ${message}`,
  ]
}

function ruleLines(rule: ExplainedRule): Line[] {
  return [headOf(rule), ...rule.leaves.map(leafLine)]
}

function leafLine({ text, is, message }: Leaf): Line {
  const style: Style = is === 'failed' ? 'red' : is ? 'green' : 'yellow'
  return [
    '  ',
    styled(style, String(is).padEnd(7)),
    cut(text),
    message === undefined ? '' : styled('dim', `: ${message}`),
  ]
}

function valueLine({ path, value }: ReadFact): Line[] {
  return [[`${pathText(path)} = `, styled('cyan', value === undefined ? '(absent)' : json(value))]]
}

/** As a rule would write it. */
function pathText(path: readonly string[]): string {
  return path.reduce((text, step, i) => {
    if (i === 0) return step
    return /^[A-Za-z_]\w*$/.test(step) ? `${text}.${step}` : `${text}[${JSON.stringify(step)}]`
  }, '')
}

const changeTitles = {
  allowed: 'To allow',
  denied: 'To deny',
  without_approval: 'To ask nobody',
} as const

function changeLines({ all, oneOf, besides }: Change): Line[] {
  const alternatives = firstOf(oneOf.map((turn) => turnLines(turn)))
  const head = oneOf.length > 1 ? [[styled('dim', 'one of these is enough:')]] : []
  return [
    ...besides.map((text) => [`not by these rules alone: ${text}`]),
    ...firstOf(all.map((turn) => turnLines(turn))),
    ...(all.length > 0 && oneOf.length > 0 ? [[styled('dim', 'and')]] : []),
    ...head,
    ...alternatives,
  ]
}

function turnLines({ rule, to, need }: Turn): Line[] {
  const head = [styled('bold', rule), to === 'match' ? ' has to match:' : ' must not match:']
  return [head, ...needLines(need, 1)]
}

function needLines(need: Need, depth: number): Line[] {
  const indent = '  '.repeat(depth)
  switch (need.kind) {
    case 'leaf':
      return [[`${indent}${cut(need.holds)}`, styled('dim', nowText(need.leaf))]]
    case 'never':
      return [[`${indent}its condition is constant: change or remove the rule`]]
    default: {
      const title = need.kind === 'all' ? 'all of' : 'one of'
      const parts = need.of.slice(0, most).flatMap((part) => needLines(part, depth + 1))
      return [[styled('dim', `${indent}${title}`)], ...parts]
    }
  }
}

/** The values as they are now. */
function nowText({ reads, is, message }: Leaf): string {
  if (is === 'failed' && message !== undefined) return `   (now: fails, ${cut(message)})`
  const values = reads.map(
    ({ path, value }) => `${pathText(path)} = ${value === undefined ? '(absent)' : json(value)}`,
  )
  return values.length === 0 ? '' : `   (now: ${cut(values.join(', '))})`
}

function json(value: unknown): string {
  return cut(JSON.stringify(value))
}

function cut(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`
}

/** An explanation for machines; values larger than 1 kB are cut, and say so. */
export function explanationJson({ decision, outcome, rules, cause, changes }: Explanation): object {
  return {
    outcome,
    decision,
    cause: { ...cause, values: cause.values.map(readJson) },
    changes: changes.map(({ to, all, oneOf, besides }) => ({
      to,
      all: all.map(turnJson),
      oneOf: oneOf.map(turnJson),
      besides,
    })),
    rules: rules.map(({ leaves, ...rule }) => ({
      ...rule,
      leaves: leaves.map(leafJson),
    })),
  }
}

function leafJson({ reads, ...leaf }: Leaf): object {
  return { ...leaf, reads: reads.map(readJson) }
}

function readJson({ path, value }: ReadFact): object {
  const name = pathText(path)
  if (value === undefined) return { path: name, absent: true }
  const text = JSON.stringify(value)
  return text.length <= 1024 ? { path: name, value } : { path: name, cut: text.slice(0, 1024) }
}

function turnJson({ rule, to, need }: Turn): object {
  return { rule, to, need: needJson(need) }
}

function needJson(need: Need): object {
  switch (need.kind) {
    case 'leaf':
      return { holds: need.holds, now: leafJson(need.leaf) }
    case 'never':
      return { never: need.text }
    default:
      return { [need.kind]: need.of.map(needJson) }
  }
}
