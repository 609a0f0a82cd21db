import { type CatalogueEntry, isRefusal } from '@jackstay/actions/action'
import type { Decision } from '@jackstay/contract/decision'
import type { Grounds, Reason } from '@jackstay/contract/history'
import { type Digest, inOneOrder } from '@jackstay/contract/json'
import { executorsNamespace } from '@jackstay/contract/namespaces'
import { type Plan, planDigest } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { blastRadiusOf } from '@jackstay/judge/blast-radius'
import { denial } from '@jackstay/judge/decide'
import { groundsOf } from '@jackstay/judge/grounds'
import { asOneOperator } from '../clearance/one-operator.ts'
import type { Ports, WriteIdentity } from '../ports.ts'
import { surroundings } from '../surroundings/view.ts'
import { figuresInWords } from '../surroundings/words.ts'
import { type Rehearsed, rehearsePlan } from '../writes/rehearsal.ts'
import { factsOf } from './facts.ts'
import { approvedPlan } from './progress.ts'

/** The line cannot go on with this intent, and why. */
export interface Stop {
  readonly stop: Reason
  readonly message: string
}

export function isStop(value: object): value is Stop {
  return 'stop' in value
}

export function entryFor(action: string, ports: Ports): CatalogueEntry | undefined {
  return ports.catalogue.find((entry) => entry.name === action)
}

/** The plan as the live cluster gives it, by the action's own gathering and reckoning. */
export async function planNow(record: IntentRecord, ports: Ports): Promise<Plan | Stop> {
  const { claims, agent } = record.authenticated
  const { namespace = '', kind, apiVersion } = claims.target
  const entry = entryFor(claims.action, ports)
  if (entry === undefined) {
    return { stop: 'unknown_action', message: `the catalogue has no action \`${claims.action}\`` }
  }
  const found = entry.targets.find((t) => t.kind === kind && t.apiVersion === apiVersion)
  if (found === undefined) {
    const allowed = entry.targets.map((t) => `${t.apiVersion} ${t.kind}`).join(', ')
    return {
      stop: 'invalid_params',
      message: `\`${claims.action}\` works on ${allowed}, not on \`${apiVersion} ${kind}\``,
    }
  }
  if ((namespace === '') !== (found.clusterScoped === true)) {
    const message = found.clusterScoped
      ? `a ${kind} belongs to no namespace; leave it out`
      : 'the target needs a namespace'
    return { stop: 'invalid_params', message }
  }
  const prepared = await entry.prepare(
    { ...claims.target, namespace },
    claims.params,
    ports.targets,
    { intent: record.id, signedAt: claims.iat },
  )
  if (isRefusal(prepared)) return { stop: prepared.refused, message: prepared.message }
  const executor = `system:serviceaccount:${executorsNamespace}:${agent.class}`
  const { disrupts, ...planned } = prepared
  const blastRadius = blastRadiusOf(planned.blastRadius, disrupts, surroundings(ports.cluster))
  const notes = [
    // an Intent object shows 32 lines
    ...(prepared.notes ?? []).slice(0, 12),
    ...figuresInWords({ blastRadius, reversibility: planned.reversibility }),
    `cannot be restored: ${entry.cannotRestore}`,
  ]
  return inOneOrder({ action: entry.name, executor, ...planned, blastRadius, notes })
}

/** A decision and what it rests on besides the rules. */
export interface Decided {
  readonly decision: Decision
  /** Undefined where a fact was missing, so that nothing was judged. */
  readonly grounds: Grounds | undefined
}

/** The live rules over a plan. Total: anything amiss is a deny. */
export async function decideNow(record: IntentRecord, plan: Plan, ports: Ports): Promise<Decided> {
  const { agent } = record.authenticated
  const facts = await factsOf(record, plan, ports)
  const found = ports.cluster.class(agent.class)
  if ('unknown' in facts) {
    return { decision: denial(`a fact is missing: ${facts.unknown}`), grounds: undefined }
  }
  const defaultApproval = found?.spec.defaultApproval ?? { count: 0, groups: [] }
  const judged = await ports.rules.decide({
    action: plan.action,
    facts,
    autonomy: found?.spec.autonomy ?? 'observe',
    defaultApproval,
    className: agent.class,
  })
  const { requirements, waived } = asOneOperator(judged.requirements, ports.oneOperator)
  const decision = inOneOrder({ ...judged, requirements, ...(waived.length > 0 && { waived }) })
  return { decision, grounds: groundsOf(facts, defaultApproval) }
}

export function identityOf(record: IntentRecord, plan: Plan, undo: boolean): WriteIdentity {
  return {
    executor: plan.executor,
    intent: record.id,
    agent: record.authenticated.agent.name,
    action: plan.action,
    undo,
  }
}

export interface Judgement extends Decided, Rehearsed {
  readonly digest: Digest
}

/** The target of a status-heavy incident moves all the time: a rehearsal is repeated this often. */
const rehearsals = 5

/**
 * Everything the digest rests on, from the live cluster: plan, dry-run as the executor, decision.
 * Rehearse calls it first, approve and dispatch again: the same digest means that nothing that
 * people approved has changed.
 */
export async function judgeNow(record: IntentRecord, ports: Ports): Promise<Judgement | Stop> {
  for (let attempt = 1; ; attempt++) {
    const plan = await planNow(record, ports)
    if (isStop(plan)) return plan
    const rehearsed = await rehearsePlan(plan, identityOf(record, plan, false), ports)
    if (isStop(rehearsed)) {
      if (rehearsed.stop === 'write_conflict' && attempt < rehearsals) continue
      return { ...rehearsed, stop: 'rehearsal_failed' }
    }
    const { decision, grounds } = await decideNow(record, rehearsed.plan, ports)
    const digest = digestNow(record, rehearsed.plan, decision, ports)
    return { ...rehearsed, decision, grounds, digest }
  }
}

/**
 * What was approved, by the rules and facts of now. It says what {@link judgeNow} says but for the
 * plan, which is not made anew: whoever has written looks at each object by itself.
 */
export async function judgeRest(record: IntentRecord, ports: Ports): Promise<Judgement> {
  const plan = approvedPlan(record)
  const { decision, grounds } = await decideNow(record, plan, ports)
  const digest = digestNow(record, plan, decision, ports)
  return { plan, versions: new Map(), decision, grounds, digest }
}

function digestNow(
  record: IntentRecord,
  plan: Plan,
  { rulesHash }: Decision,
  { catalogueVersion }: Ports,
): Digest {
  const { jwsDigest } = record.authenticated
  return planDigest({ intentId: record.id, jwsDigest, plan, rulesHash, catalogueVersion })
}
