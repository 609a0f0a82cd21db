import type { Decision } from '@jackstay/contract/decision'
import type { EventData, Grounds, StageName } from '@jackstay/contract/history'
import { canonical, digestOf, type Json } from '@jackstay/contract/json'
import { systemNamespace } from '@jackstay/contract/namespaces'
import type { Plan } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Leaf, LeafKind, Ports } from './ports.ts'
import { hasWritten } from './progress.ts'
import { type Ending, rfc3339, type Step } from './step.ts'

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
): Leaf {
  const { claims, agent, jwsDigest } = record.authenticated
  const { namespace } = claims.target
  return {
    kind,
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

/** Seven members of this size stay below a leaf's limit, whatever an agent or a rule puts in. */
const memberLimit = 2048

/** The member, or its digest where it is large: the whole of it stands in the intent's events. */
function fitting(value: Json): Json {
  const bytes = Buffer.byteLength(canonical(value))
  return bytes <= memberLimit ? value : { digest: digestOf(value), bytes }
}

/** JSON without `undefined`, typed as the JSON it is. */
function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json
}

/** Each member by itself, so that a large one does not take the others with it. */
function members(value: object): { readonly [key: string]: Json } {
  return json(value) as { readonly [key: string]: Json }
}

function context(record: IntentRecord): { readonly [key: string]: Json } {
  const { claims, agent, reasoning, trigger } = record.authenticated
  return json({
    agent: { name: agent.name, class: agent.class, pod: agent.podUid },
    action: claims.action,
    target: claims.target,
    params: claims.params,
    reasoning: { digest: claims.reasoning.digest, summary: reasoning.summary },
    trigger: trigger && {
      id: trigger.id,
      source: trigger.source,
      fingerprint: trigger.fingerprint,
    },
  }) as { readonly [key: string]: Json }
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
  const { grounds, ...said } = verdict
  // the facts themselves stand in the intent's events: the leaf says which they were
  const facts = grounds === undefined ? {} : { facts: grounds.digest }
  return leaf('decision', stage, record, at, { ...context(record), ...members(said), ...facts })
}

export function approvalLeaf(
  record: IntentRecord,
  at: LeafContext,
  approved: EventData<'approved'>,
): Leaf {
  return leaf('approval', 'approve', record, at, { approved: json(approved) })
}

/** Durable before the first write: no dispatch leaf, no write. */
export function dispatchLeaf(
  record: IntentRecord,
  at: LeafContext,
  plan: Plan,
  dispatched: EventData<'dispatched'>,
): Leaf {
  return leaf('dispatch', 'dispatch', record, at, {
    executor: plan.executor,
    writes: json(plan.writes),
    dispatched: json(dispatched),
  })
}

export function outcomeLeaf(
  record: IntentRecord,
  at: LeafContext,
  stage: StageName,
  ending: Ending,
): Leaf {
  return leaf('outcome', stage, record, at, {
    outcome: json({ phase: ending.phase, reason: ending.reason, message: ending.message }),
    written: json(record.written),
    undone: json(record.undone),
  })
}

/**
 * Ends an intent: its one terminal event, with the decision leaf where no decision was recorded
 * yet, and the outcome leaf where it was dispatched or had waited.
 */
export function end(record: IntentRecord, at: LeafContext, stage: StageName, ending: Ending): Step {
  const leaves: Leaf[] = []
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
  const message = ending.message.slice(0, 1024)
  return {
    go: 'end',
    events: [{ type: 'ended', at: rfc3339(at.at), data: { ...ending, message, stage } }],
    leaves,
  }
}
