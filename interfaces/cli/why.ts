import type { Decision, FiredRule } from '@jackstay/contract/decision'
import { describeObject } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { erasedText } from '@jackstay/contract/redaction'
import { visible } from '@jackstay/contract/text'
import { diffLines } from './diff.ts'
import { phaseStyle } from './intents.ts'
import { type Line, type Style, section, styled, typed } from './screen.ts'
import { approvalLines, executionLines, undoLines, verificationLines } from './why-effects.ts'

/** A leaf of the transparency log, by the event it was written with. */
export interface LeafPlace {
  readonly event: string
  readonly indexes: readonly number[]
}

const quoteWidth = 84

/** The whole story of one intent. Pure: the record, and where its leaves stand in the log. */
export function renderWhy(record: IntentRecord, leaves: readonly LeafPlace[]): Line[] {
  const { rehearsed } = record
  const plan = rehearsed?.plan ?? record.planned?.plan
  const decision = decisionOf(record)
  const blank: Line[] = [[]]
  return [
    ...headline(record),
    ...blank,
    ...section('Trigger', triggerLines(record)),
    ...section('Asked by', agentLines(record)),
    ...section('Agent says', reasoningLines(record)),
    ...blank,
    ...section('Plan', planLines(record)),
    ...(plan === undefined ? [] : section('Diff', diffLines(plan))),
    ...section(
      'To know',
      (plan?.notes ?? []).map((note) => [note]),
    ),
    ...blank,
    ...section('Decision', decision === undefined ? [notYet(record)] : decisionLines(decision)),
    ...section('Approval', approvalLines(record)),
    ...blank,
    ...section('Execution', executionLines(record)),
    ...section('Verification', verificationLines(record)),
    ...section('Undo', undoLines(record)),
    ...blank,
    ...section('Redacted', redactedLines(record)),
    ...section('Ledger', leafLines(leaves)),
  ]
}

/** The newest decision reached; the one at dispatch is the one that counted. */
function decisionOf(record: IntentRecord): Decision | undefined {
  return (
    record.ended?.decision ??
    record.dispatched?.decision ??
    record.rehearsed?.decision ??
    record.decided?.decision
  )
}

function headline(record: IntentRecord): Line[] {
  const { claims } = record.authenticated
  const { ended, phase } = record
  const why = ended === undefined ? 'not ended yet' : `${ended.reason}: ${ended.message}`
  return [
    [styled('bold', record.id), '  ', `${claims.action} on ${describeObject(claims.target)}`],
    [styled(phaseStyle(phase), phase), ` — ${why}`],
  ]
}

function notYet(record: IntentRecord): Line {
  return [record.ended === undefined ? 'not reached yet' : `ended in ${record.ended.stage}, before`]
}

function triggerLines({ authenticated: { trigger, redacted } }: IntentRecord): Line[] {
  if (trigger === undefined) return [['none: the agent acted by itself']]
  const { alertname, ...others } = trigger.labels
  const labels = Object.entries(others).map(([key, value]) => `${key}=${value}`)
  return [
    [
      `${trigger.source} alert `,
      styled('bold', alertname ?? trigger.fingerprint),
      `, ${trigger.status} since ${trigger.startsAt}`,
    ],
    ...(labels.length > 0 ? [[styled('dim', visible(labels.join('  '), 400))]] : []),
    ...(redacted?.trigger === undefined ? [] : [erased(redacted.trigger)]),
  ]
}

function agentLines({ authenticated: { agent, claims, at, redacted } }: IntentRecord): Line[] {
  return [
    [`${agent.name} of class ${agent.class}, Pod ${agent.podName}, at ${at}`],
    redacted?.params === undefined
      ? [styled('dim', `parameters ${visible(JSON.stringify(claims.params), 400)}`)]
      : ['parameters ', ...erased(redacted.params)],
    [styled('dim', `signed with key ${agent.kid}`)],
  ]
}

function reasoningLines({ authenticated: { reasoning, redacted } }: IntentRecord): Line[] {
  if (reasoning === undefined) return [erased(redacted?.reasoning)]
  const quoted = wrapped(`“${visible(reasoning.summary)}”`, quoteWidth)
  return [
    [styled('dim', "the agent's own words; nothing below rests on them")],
    ...quoted.map((text) => [text]),
    ...reasoning.evidence.map(({ uri }) => [styled('dim', `evidence ${uri}`)]),
  ]
}

function erased(leaf: number | undefined): Line {
  return [styled('yellow', `${erasedText}: leaf ${leaf} says why`)]
}

/** What is no longer shown, by the leaves that say who erased it and why. */
function redactedLines({ redacted }: IntentRecord): Line[] {
  const byLeaf = Map.groupBy(Object.entries(redacted), ([, leaf]) => leaf)
  return [...byLeaf].map(([leaf, pairs]) => [
    styled('yellow', pairs.map(([name]) => name).join(', ')),
    `: leaf ${leaf} says who erased it and why`,
  ])
}

/** Breaks at blanks, and inside a word only where it is longer than a line. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width)
    const end = blank > 0 ? blank : width
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

function planLines(record: IntentRecord): Line[] {
  const plan = record.rehearsed?.plan ?? record.planned?.plan
  if (plan === undefined) return [notYet(record)]
  const { objects, pods, readyReplicasLost, namespaces } = plan.blastRadius
  const lost = readyReplicasLost > 0 ? `, ${readyReplicasLost} ready replicas fewer` : ''
  const checked = record.rehearsed === undefined ? '' : ', confirmed by a dry-run of the API server'
  return [
    [styled('bold', plan.summary), styled('dim', checked)],
    [
      `touches ${objects} objects, ${pods} Pods in ${namespaces.join(', ')}${lost}; ${undoable[plan.reversibility]}`,
    ],
    [styled('dim', `as ${plan.executor}`)],
    ...(record.rehearsed ? [[styled('dim', `digest ${record.rehearsed.digest}`)]] : []),
  ]
}

const undoable = {
  inverse: 'undone by its recorded inverse',
  'self-healing': 'put right by controllers',
  irreversible: 'cannot be undone',
} as const

function decisionLines(decision: Decision): Line[] {
  const { effect, reason, fired, evaluated, requirements, waived = [] } = decision
  const style: Style = effect === 'allow' ? 'green' : 'red'
  return [
    [styled(style, effect), ` — ${reason}`, styled('dim', ` (${evaluated} rules looked at)`)],
    ...fired.map(ruleLine),
    ...requirements.map(({ count, groups, from }) => [
      `needs ${count} approval${count === 1 ? '' : 's'} by ${groups.join(' or ')} (${from})`,
    ]),
    ...waived.map((text): Line => [styled('yellow', text)]),
  ]
}

function ruleLine({ id, effect, mode, outcome, message }: FiredRule): Line {
  const style: Style = effect === 'deny' || outcome === 'error' ? 'red' : 'green'
  return [
    styled(style, effect.padEnd(16)),
    id,
    outcome === 'error' ? styled('red', ' failed') : '',
    mode === 'audit' ? styled('yellow', ' (audit only)') : '',
    message === undefined ? '' : `: ${message}`,
  ]
}

function leafLines(leaves: readonly LeafPlace[]): Line[] {
  const written = leaves.filter(({ indexes }) => indexes.length > 0)
  if (written.length === 0) return [['no leaf yet']]
  const places = written.map(({ event, indexes }) => `leaf ${indexes.join(', ')} (${event})`)
  return [[places.join('; ')], [typed('check the log with `jackstay ledger verify`', 'dim')]]
}
