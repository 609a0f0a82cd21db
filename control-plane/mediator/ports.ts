import type { CatalogueEntry, FactReader, Observed, Refusal } from '@jackstay/actions/action'
import type { Decision } from '@jackstay/contract/decision'
import type { CountedApproval, IntentEvent } from '@jackstay/contract/history'
import type { Digest, Json } from '@jackstay/contract/json'
import type { AgentClassSpec, ClassLimits } from '@jackstay/contract/kinds/agent-class'
import type { ApprovalSubject } from '@jackstay/contract/kinds/approval'
import type { SuspensionSpec } from '@jackstay/contract/kinds/suspension'
import type { EvictWrite, ObjectRef, Plan, WriteObject } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { PublicKey } from '@jackstay/contract/signing'
import type { Trigger } from '@jackstay/contract/trigger'
import type { AutoscalerView, BudgetView, QuotaView } from '@jackstay/judge/disruption'
import type { Question } from '@jackstay/judge/thread'
import type { CompiledWindow } from '@jackstay/judge/windows'

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number
}

export type LeafKind = 'decision' | 'approval' | 'dispatch' | 'outcome'

/** One entry of the transparency log: a CloudEvents 1.0 decision event. */
export interface Leaf {
  readonly kind: LeafKind
  readonly data: Json
  /** What may be erased one day: the leaf's bytes only commit to it. */
  readonly sealed: { readonly [name: string]: Json }
}

/** Where events and leaves are kept; one call is one transaction. */
export interface History {
  read(id: string): Promise<IntentRecord>
  /** @throws JackstayError `intent_conflict` when somebody else appended meanwhile */
  append(
    record: IntentRecord,
    events: readonly IntentEvent[],
    leaves: readonly Leaf[],
  ): Promise<IntentRecord>
}

export interface ClassView {
  readonly name: string
  readonly uid: string
  readonly spec: AgentClassSpec
  readonly hash: Digest
}

export interface KeyView {
  readonly namespace: string
  readonly agent: string
  readonly class: string
  readonly podName: string
  readonly podUid: string
  readonly thumbprint: string
  readonly publicKey: PublicKey
  readonly revoked: boolean
}

export interface PodView {
  readonly uid: string
  readonly phase: string
  readonly deletionTimestamp?: string
}

export interface NamespaceView {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** An alert that is firing, as rules see it. */
export interface Incident {
  readonly namespace: string
  readonly name: string
}

/** An Approval as the API server vouched for it at its creation. */
export interface ApprovalView extends CountedApproval {
  readonly namespace: string
  readonly digest: Digest
  readonly subject: {
    readonly kind: ApprovalSubject
    readonly name: string
    readonly uid: string
  }
}

export interface IntentObjectView {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly deleting: boolean
  readonly createdAt: string
  readonly phase: string | undefined
  /** Until when it waits for approvals, RFC 3339. */
  readonly expiresAt?: string | undefined
  /** Of everything the projection writes: tells whether it is up to date. */
  readonly statusHash: Digest
}

/** What the caches know. Reading it while `synced()` is false means deciding on nothing. */
export interface ClusterView {
  synced(): boolean
  class(name: string): ClassView | undefined
  classes(): readonly ClassView[]
  key(thumbprint: string): KeyView | undefined
  pod(namespace: string, name: string): PodView | undefined
  namespace(name: string): NamespaceView | undefined
  /**
   * Why the agents of a class namespace may do more by themselves than read, or undefined. What
   * everybody gets in one namespace counts only where `places` has it.
   */
  moreThanReads(classNamespace: string, places?: readonly string[] | 'anywhere'): string | undefined
  windows(): readonly CompiledWindow[]
  /** Every ResourceQuota of the namespace. */
  quotas(namespace: string): readonly QuotaView[]
  /** Every PodDisruptionBudget of the namespace. */
  budgets(namespace: string): readonly BudgetView[]
  /** Every HorizontalPodAutoscaler of the namespace. */
  autoscalers(namespace: string): readonly AutoscalerView[]
  /** The value of a PriorityClass, or with `''` of a Pod that names none. */
  priority(className: string): number | undefined
  suspensions(): readonly SuspensionSpec[]
  approvalsOf(kind: ApprovalSubject, name: string): readonly ApprovalView[]
  intentObject(id: string): IntentObjectView | undefined
  intentObjects(): Iterable<IntentObjectView>
}

/** The live rules. */
export interface RulesPort {
  /** Total: what is amiss, a judgement that takes too long included, is a deny. */
  decide(question: Question): Promise<Decision>
}

/** How one write attempt went. `unknown`: sent, no answer; only a read can tell. */
export type WriteAnswer =
  | { readonly kind: 'applied'; readonly object: Observed; readonly auditId?: string }
  | { readonly kind: 'conflict' | 'refused'; readonly message: string; readonly auditId?: string }
  /** A disruption budget does not let the Pod go now. */
  | { readonly kind: 'later'; readonly message: string; readonly auditId?: string }
  | { readonly kind: 'unknown' | 'not_sent'; readonly message: string }

/** What binds a write to one state of one object. */
export interface Precondition {
  readonly uid: string
  readonly resourceVersion: string
}

export interface SendOptions {
  readonly dryRun: boolean
}

/** Who a write is made as, and what Kubernetes' own audit log will say about it. */
export interface WriteIdentity {
  readonly executor: string
  readonly intent: string
  readonly agent: string
  readonly action: string
  readonly undo: boolean
}

export interface Targets extends FactReader {
  /** A consistent read of one object by its reference, or undefined where it is gone. */
  read(ref: WriteObject): Promise<Observed | undefined>
  // what follows is sent as the executor, and never retried
  /** A merge patch with `metadata.uid` and `resourceVersion`. */
  patch(
    ref: ObjectRef,
    body: unknown,
    binding: Precondition,
    identity: WriteIdentity,
    options: SendOptions,
  ): Promise<WriteAnswer>
  evict(
    write: EvictWrite,
    binding: Precondition,
    identity: WriteIdentity,
    options: SendOptions,
  ): Promise<WriteAnswer>
  /** Refused with `conflict` where the name is taken. */
  create(
    ref: WriteObject,
    body: { readonly [key: string]: Json },
    identity: WriteIdentity,
    options: SendOptions,
  ): Promise<WriteAnswer>
}

/** Counters that admit draws on; exact within one mediator. */
export interface Allowances {
  /** Takes one from the agent's rate, or says no. */
  take(agent: string, perMinute: number): boolean
  /** Intents of the agent that have not ended, this one not counted. */
  pending(agent: string, except: string): number
  /** How far an intent is: told when it begins, and whenever it went on. */
  note(record: IntentRecord): void
  /** It was told of, and never came to be. */
  forget(record: IntentRecord): void
}

/** What a class's changes may reach together; exact within one mediator, also after a restart. */
export interface Spending {
  /** Why the plan would be too much now, or undefined. Spends nothing. */
  refusal(record: IntentRecord, plan: Plan, limits: ClassLimits): Refusal | undefined
  /** Whether fewer changes of the class than allowed are under way, this one not counted. */
  place(record: IntentRecord, limits: ClassLimits): boolean
  /** Spends for the intent, once however often it is asked, or says why not. */
  spend(record: IntentRecord, plan: Plan, limits: ClassLimits): Refusal | undefined
}

/** Everything a stage may touch. */
export interface Ports {
  readonly clock: Clock
  /** What this run put on record to be sent and has not sent: of all else nobody knows. */
  readonly unsent: Set<string>
  /** The wall clock without its jumps. */
  readonly steady: { ahead(): number }
  /** A setting: one person is on call, and counts for every number of approvals. */
  readonly oneOperator: boolean
  readonly clusterUid: string
  readonly catalogue: readonly CatalogueEntry[]
  readonly catalogueVersion: string
  readonly cluster: ClusterView
  readonly rules: RulesPort
  readonly targets: Targets
  readonly allowances: Allowances
  readonly spending: Spending
  readonly breakers: {
    /** Why the intent may not go on, or undefined. */
    gate(record: IntentRecord): Promise<Refusal | undefined>
  }
  readonly triggers: {
    get(id: string): Promise<Trigger | undefined>
    /** Firing triggers, `limit` at most, the newest first. */
    firing(limit: number): Promise<readonly Incident[]>
  }
}

/** The same, and where what is said goes on record. */
export interface LinePorts extends Ports {
  readonly history: History
}
