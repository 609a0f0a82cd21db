import { createHash } from 'node:crypto'
import type { StageName, TerminalPhase } from '@jackstay/contract/history'
import { describeObject, type PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Span } from '@jackstay/service/traces'

/** What went as it was meant to; the rest is shown as an error. */
const wanted: ReadonlySet<TerminalPhase> = new Set([
  'verified',
  'proposed',
  'obsolete',
  'cancelled',
])

/**
 * What an ended intent went through, as one trace whose id is the intent's own: a span for the intent,
 * below it one for each stage, below those one for each write. All of it from the record, so no header
 * and no word of an agent is in it (T30), and telling it twice gives the same ids.
 */
export function intentSpans(record: IntentRecord): readonly Span[] {
  const { ended, authenticated } = record
  if (ended === undefined) return []
  const { action, target } = authenticated.claims
  const { agent } = authenticated
  const whole = spanner(record.id, 'intent')
  const root = whole('intent', undefined, {
    name: `intent ${action}`,
    from: authenticated.at,
    to: ended.at,
    attributes: {
      'jackstay.intent': record.id,
      'jackstay.agent': agent.name,
      'jackstay.class': agent.class,
      'jackstay.action': action,
      'jackstay.target': describeObject(target),
      'jackstay.phase': ended.phase,
      'jackstay.reason': ended.reason,
    },
    ...(!wanted.has(ended.phase) && { failed: ended.reason }),
  })
  return [root, ...stageSpans(record, root.spanId)]
}

interface Stay {
  readonly stage: StageName
  /** RFC 3339. */
  readonly from: string
  readonly to: string
}

function stageSpans(record: IntentRecord, parent: string): readonly Span[] {
  const make = spanner(record.id, 'stage')
  const { ended } = record
  return stays(record).flatMap(({ stage, from, to }) => {
    const failed = ended?.stage === stage && !wanted.has(ended.phase) ? ended.reason : undefined
    const attributes = { 'jackstay.stage': stage }
    const span = make(stage, parent, {
      name: stage,
      from,
      to,
      attributes,
      ...(failed && { failed }),
    })
    return [span, ...writeSpans(record, stage, { from, parent: span.spanId })]
  })
}

/** How long the intent stayed where: each stage from the end of the one before it. */
function stays(record: IntentRecord): readonly Stay[] {
  const { ended, dispatched, undoing } = record
  const done: readonly (readonly [StageName, string | undefined])[] = [
    ['admit', record.admitted?.at],
    ['plan', record.planned?.at],
    ['decide', record.decided?.at],
    ['rehearse', record.rehearsed?.at],
    ['approve', record.approved?.at],
    ['dispatch', dispatched?.at],
    ['execute', record.executed?.at],
    ['verify', undoing && record.executed ? undoing.at : undefined],
  ]
  const all: Stay[] = []
  let from = record.authenticated.at
  for (const [stage, to] of done) {
    if (to === undefined) continue
    all.push({ stage, from, to })
    from = to
  }
  if (ended) all.push({ stage: ended.stage, from, to: ended.at })
  return all
}

interface Told {
  readonly write: string
  readonly attempt: number
  readonly outcome: string
  readonly auditId?: string | undefined
  readonly at: string
}

function writeSpans(
  record: IntentRecord,
  stage: StageName,
  { from, parent }: { readonly from: string; readonly parent: string },
): readonly Span[] {
  const told: readonly Told[] =
    stage === 'execute' ? record.written : stage === 'undo' ? record.undone : []
  const plan = record.rehearsed?.plan ?? record.planned?.plan
  const make = spanner(record.id, stage)
  let start = from
  return told.map((one, i) => {
    const write = plan?.writes.find(({ id }) => id === one.write)
    const span = make(`${i}`, parent, {
      name: `write ${one.write}`,
      from: start,
      to: one.at,
      attributes: attributesOf(one, write),
      ...(one.outcome !== 'applied' && { failed: one.outcome }),
    })
    start = one.at
    return span
  })
}

function attributesOf(
  { attempt, outcome, auditId }: Told,
  write: PlannedWrite | undefined,
): Span['attributes'] {
  return {
    'jackstay.attempt': attempt,
    'jackstay.outcome': outcome,
    ...(write && { 'jackstay.verb': write.verb, 'jackstay.object': describeObject(write.object) }),
    // by which the API server's own audit log knows the request
    ...(auditId !== undefined && { 'k8s.audit_id': auditId }),
  }
}

interface Stretch {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly attributes: Span['attributes']
  readonly failed?: string
}

/** Ids of spans are told by the intent and the place in it. */
function spanner(intentId: string, room: string) {
  return (place: string, parent: string | undefined, stretch: Stretch): Span => {
    const { name, from, to, attributes, failed } = stretch
    const hash = createHash('sha256').update(`${intentId}/${room}/${place}`).digest('hex')
    // a clock that was set back makes no span that ends before it began
    const startMs = Date.parse(from)
    return {
      traceId: intentId.replaceAll('-', ''),
      spanId: hash.slice(0, 16),
      ...(parent !== undefined && { parentSpanId: parent }),
      ...{ name, startMs, endMs: Math.max(startMs, Date.parse(to)), attributes },
      ...(failed !== undefined && { failed }),
    }
  }
}
