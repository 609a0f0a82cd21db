import { type CatalogueEntry, isRefusal, type Observed } from '@jackstay/actions/action'
import type { Decision } from '@jackstay/contract/decision'
import type { Grounds, Reason } from '@jackstay/contract/history'
import type { Digest } from '@jackstay/contract/json'
import { executorsNamespace } from '@jackstay/contract/namespaces'
import { type Plan, type PlannedWrite, planDigest } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { denial } from '@jackstay/judge/decide'
import { groundsOf } from '@jackstay/judge/grounds'
import { factsOf } from './facts.ts'
import type { Ports, WriteIdentity } from './ports.ts'
import { serverDiff } from './server-diff.ts'

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
  const { namespace, kind, apiVersion } = claims.target
  const entry = entryFor(claims.action, ports)
  if (entry === undefined) {
    return { stop: 'unknown_action', message: `the catalogue has no action \`${claims.action}\`` }
  }
  if (namespace === undefined) {
    return { stop: 'invalid_params', message: 'the target needs a namespace' }
  }
  if (!entry.targets.some((t) => t.kind === kind && t.apiVersion === apiVersion)) {
    const allowed = entry.targets.map((t) => `${t.apiVersion} ${t.kind}`).join(', ')
    return {
      stop: 'invalid_params',
      message: `\`${claims.action}\` works on ${allowed}, not on \`${apiVersion} ${kind}\``,
    }
  }
  const prepared = await entry.prepare(
    { ...claims.target, namespace },
    claims.params,
    ports.targets,
    { signedAt: claims.iat },
  )
  if (isRefusal(prepared)) return { stop: prepared.refused, message: prepared.message }
  const executor = `system:serviceaccount:${executorsNamespace}:${agent.class}`
  const notes = [...(prepared.notes ?? []), `cannot be restored: ${entry.cannotRestore}`]
  return { action: entry.name, executor, ...prepared, notes }
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
  const decision = await ports.rules.decide({
    action: plan.action,
    facts,
    autonomy: found?.spec.autonomy ?? 'observe',
    defaultApproval,
    className: agent.class,
  })
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

export interface Judgement extends Decided {
  readonly plan: Plan
  readonly digest: Digest
  /** Of each write's object, as rehearsed. */
  readonly versions: ReadonlyMap<string, string>
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
    const rehearsed = await rehearsePlan(record, plan, ports)
    if (isStop(rehearsed)) {
      if (rehearsed.stop === 'write_conflict' && attempt < rehearsals) continue
      return { ...rehearsed, stop: 'rehearsal_failed' }
    }
    const { decision, grounds } = await decideNow(record, rehearsed.plan, ports)
    const digest = planDigest({
      intentId: record.id,
      jwsDigest: record.authenticated.jwsDigest,
      plan: rehearsed.plan,
      rulesHash: decision.rulesHash,
      catalogueVersion: ports.catalogueVersion,
    })
    return { ...rehearsed, decision, grounds, digest }
  }
}

async function rehearsePlan(
  record: IntentRecord,
  plan: Plan,
  ports: Ports,
): Promise<{ plan: Plan; versions: ReadonlyMap<string, string> } | Stop> {
  const versions = new Map<string, string>()
  const writes: PlannedWrite[] = []
  for (const write of plan.writes) {
    const before = await ports.targets.read(write.object)
    const bound = before && bindingOf(before)
    if (before === undefined || bound?.uid !== write.object.uid) {
      return {
        stop: 'write_conflict',
        message: `the object of ${write.id} was deleted or replaced`,
      }
    }
    const identity = identityOf(record, plan, false)
    const answer = await ports.targets.patch(write.object, write.body, bound, identity, {
      dryRun: true,
    })
    if (answer.kind === 'conflict') return { stop: 'write_conflict', message: answer.message }
    if (answer.kind !== 'applied') return { stop: 'rehearsal_failed', message: answer.message }
    versions.set(write.id, bound.resourceVersion)
    writes.push({ ...write, ...serverDiff(write, before, answer.object) })
  }
  return { plan: { ...plan, writes }, versions }
}

/** Who an object is right now. */
export function bindingOf(object: Observed): { uid: string; resourceVersion: string } | undefined {
  const { metadata } = object
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata)) return undefined
  const { uid, resourceVersion } = metadata as { readonly [key: string]: unknown }
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined
  return uid !== '' && resourceVersion !== '' ? { uid, resourceVersion } : undefined
}
