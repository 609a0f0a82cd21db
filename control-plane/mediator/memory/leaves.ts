import type { Decision } from '@jackstay/contract/decision'
import type { EventData, Grounds, StageName } from '@jackstay/contract/history'
import { asJson, digestOf, type Json } from '@jackstay/contract/json'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { Plan } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { visible } from '@jackstay/contract/text'
import { hasWritten, landedWrites } from '../line/progress.ts'
import { type Ending, rfc3339, type Step } from '../line/step.ts'
import type { Leaf, LeafKind, Ports } from '../ports.ts'
import { bare, type Erasables, wordsOf } from './erasable.ts'

/** Where and when something is put on record. */
interface LeafContext {
  readonly clusterUid: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Now, in this cluster. */
export function moment({ clusterUid, clock }: Ports): LeafContext {
  return { clusterUid, at: clock.now() }
}

function leaf(
  kind: LeafKind,
  stage: StageName,
  record: IntentRecord,
  context: LeafContext,
  data: { readonly [key: string]: Json },
  sealed: Erasables,
): Leaf {
  const { claims, agent, jwsDigest } = record.authenticated
  const { namespace } = claims.target
  return {
    kind,
    sealed: members(sealed),
    data: {
      specversion: '1.0',
      id: `${record.id}/${kind}/${record.seq}`,
      type: `dev.jackstay.decision.${stage}.v1`,
      source: `/clusters/${context.clusterUid}/jackstay`,
      subject: `${namespace ?? systemNamespace}/${record.id}`,
      time: rfc3339(context.at),
      datacontenttype: 'application/json',
      data: {
        leaf: kind,
        intent: { id: record.id, jws: jwsDigest, kid: agent.kid },
        ...Object.fromEntries(Object.entries(data).map(([key, value]) => [key, fitting(value)])),
      },
    },
  }
}

/** Seven members of this size stay below a leaf's limit, whatever a rule or a group's name puts in. */
const memberLimit = 2048

/** The member, or its digest where it is large: the whole of it stands in the intent's events. */
function fitting(value: Json): Json {
  // in whatever order its keys are written, it is as long
  const bytes = Buffer.byteLength(JSON.stringify(value))
  return bytes <= memberLimit ? value : { digest: digestOf(value), bytes }
}

/** Each member by itself, so that a large one does not take the others with it. */
function members(value: object): { readonly [key: string]: Json } {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      member === undefined ? [] : [[key, asJson(member)] as const],
    ),
  )
}

function context(record: IntentRecord): { readonly [key: string]: Json } {
  const { claims, agent, trigger } = record.authenticated
  return asJson({
    agent: { name: agent.name, class: agent.class, pod: agent.podUid },
    action: claims.action,
    target: claims.target,
    reasoning: { digest: claims.reasoning.digest },
    trigger: trigger && {
      id: trigger.id,
      source: trigger.source,
      fingerprint: trigger.fingerprint,
    },
  }) as { readonly [key: string]: Json }
}

/** What the agent and the alert said: erasable, so a leaf only commits to it. */
function asked({ authenticated }: IntentRecord): Erasables {
  const { claims, reasoning, trigger, redacted } = authenticated
  return {
    ...(reasoning && { reasoning }),
    ...(redacted?.params === undefined && { params: claims.params }),
    ...(trigger &&
      redacted?.trigger === undefined && {
        trigger: { labels: trigger.labels, annotations: trigger.annotations },
      }),
  }
}

/** The decision on one digest, or the refusal that came before there was one. */
export function decisionLeaf(
  record: IntentRecord,
  at: LeafContext,
  stage: StageName,
  verdict: {
    readonly outcome: string
    readonly message: string
    readonly plan?: Plan | undefined
    readonly decision?: Decision | undefined
    readonly grounds?: Grounds | undefined
    readonly digest?: string
  },
): Leaf {
  const { grounds, plan, message, decision, ...said } = verdict
  const clear = {
    ...context(record),
    ...members({ ...said, decision: decision && bare(decision) }),
  }
  return leaf('decision', stage, record, at, clear, {
    ...asked(record),
    ...(plan && { plan }),
    ...(grounds && { facts: grounds }),
    messages: { message, ...(decision && wordsOf(decision)) },
  })
}

export function approvalLeaf(
  record: IntentRecord,
  at: LeafContext,
  approved: EventData<'approved'>,
): Leaf {
  const { digest, approvals } = approved
  const clear = { digest, approvals: approvals.map(({ reason: _, ...rest }) => rest) }
  return leaf(
    'approval',
    'approve',
    record,
    at,
    { approved: asJson(clear) },
    {
      messages: Object.fromEntries(approvals.map(({ uid, reason }) => [uid, reason])),
    },
  )
}

/** Durable before the first write: no dispatch leaf, no write. */
export function dispatchLeaf(
  record: IntentRecord,
  at: LeafContext,
  plan: Plan,
  dispatched: EventData<'dispatched'>,
): Leaf {
  const { decision, ...bound } = dispatched
  const clear = {
    executor: plan.executor,
    writes: asJson(plan.writes.map(({ id, verb, object }) => ({ id, verb, object }))),
    dispatched: asJson({ ...bound, decision: bare(decision) }),
  }
  return leaf('dispatch', 'dispatch', record, at, clear, {
    plan: { writes: plan.writes },
    messages: wordsOf(decision),
  })
}

export function outcomeLeaf(
  record: IntentRecord,
  at: LeafContext,
  stage: StageName,
  ending: Ending,
): Leaf {
  const { phase, reason, message } = ending
  const silent = ({ message: _, ...rest }: { readonly message?: string | undefined }) => rest
  const said = ({ write, attempt, message: text }: EventData<'written'> | EventData<'undone'>) =>
    text === undefined ? [] : [{ write, attempt, message: text }]
  const { undoing } = record
  const clear = {
    outcome: {
      ...{ phase, reason },
      // why it had to be taken back, and after which of its writes
      ...(undoing && { because: undoing.reason, after: landedWrites(record).at(-1)?.id ?? '' }),
    },
    written: asJson(record.written.map(silent)),
    undone: asJson(record.undone.map(silent)),
  }
  return leaf('outcome', stage, record, at, clear, {
    messages: {
      message,
      written: record.written.flatMap(said),
      undone: record.undone.flatMap(said),
    },
  })
}

/**
 * Ends an intent: its one terminal event, with the decision leaf where no decision was recorded
 * yet, and the outcome leaf where it was dispatched or had waited.
 */
export function end(record: IntentRecord, at: LeafContext, stage: StageName, said: Ending): Step {
  const leaves: Leaf[] = []
  // it may quote an agent, and a cut through a surrogate pair could not be written at all
  const ending = { ...said, message: visible(said.message) }
  if (record.rehearsed === undefined) {
    const { phase, reason, message, decision, grounds } = ending
    const plan = record.planned?.plan
    leaves.push(
      decisionLeaf(record, at, stage, {
        outcome: `${phase}/${reason}`,
        message,
        plan,
        decision,
        grounds,
      }),
    )
  } else if (ending.phase !== 'proposed' || hasWritten(record)) {
    leaves.push(outcomeLeaf(record, at, stage, ending))
  }
  return {
    go: 'end',
    events: [{ type: 'ended', at: rfc3339(at.at), data: { ...ending, stage } }],
    leaves,
  }
}
