import type { Observed } from '@jackstay/actions/action'
import { catalogue, catalogueVersion } from '@jackstay/actions/catalogue'
import type { IntentEvent } from '@jackstay/contract/history'
import type { IntentClaims } from '@jackstay/contract/intent'
import { digestOf, type Json, sha256 } from '@jackstay/contract/json'
import type { ActionPolicySpec } from '@jackstay/contract/kinds/action-policy'
import type { AgentClassSpec } from '@jackstay/contract/kinds/agent-class'
import type { SuspensionSpec } from '@jackstay/contract/kinds/suspension'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { fold, hasEnded, type IntentRecord } from '@jackstay/contract/record'
import type { Trigger } from '@jackstay/contract/trigger'
import { classHash } from '@jackstay/judge/class-ceiling'
import { decide } from '@jackstay/judge/decide'
import type { AutoscalerView, BudgetView, QuotaView } from '@jackstay/judge/disruption'
import { compileRules } from '@jackstay/judge/rules'
import type { CompiledWindow } from '@jackstay/judge/windows'
import { type SpendingLog, spendingLog } from '../limits/spending.ts'
import { advance } from '../pipeline.ts'
import type {
  ApprovalView,
  History,
  Incident,
  Leaf,
  LinePorts,
  PodView,
  Ports,
  WriteAnswer,
} from '../ports.ts'
import { fieldManager } from '../writes/settle.ts'
import { approval, authenticatedWith, id, kid, podUid, scaling, uid } from './asked-builder.ts'

/** Builders for tests of the line: a cluster of one Deployment, a store in memory, a clock by hand. */

export const classSpec: AgentClassSpec = {
  namespace: 'jackstay-class-a',
  autonomy: 'act-within-policy',
  actions: [{ name: 'workload.scale', targets: { namespaces: ['shop'], names: ['*'] } }],
  defaultApproval: { count: 1, groups: ['oncall'] },
  limits: {
    intentsPerMinute: 10,
    pending: 5,
    concurrent: 5,
    budgets: [],
    oscillation: { turns: 3, within: '1h' },
  },
  verifySeconds: 60,
  triggers: [],
  grant: { count: 1, groups: ['oncall'] },
}

export const allowAll: ActionPolicySpec = {
  mode: 'enforce',
  actions: ['workload.scale'],
  rules: [{ name: 'allow', allow: { when: 'true' } }],
}

export const askPeople: ActionPolicySpec = {
  ...allowAll,
  rules: [
    ...allowAll.rules,
    { name: 'people', requireApproval: { when: 'true', count: 1, groups: ['oncall'] } },
  ],
}

/** Thrown by a port where a test wants the process to die. */
export class Crash extends Error {}

/** What the one Deployment has no use for. */
function unasked(): never {
  throw new TypeError('nothing here is evicted or created')
}
const unused = { evict: unasked, create: unasked }

/** How late a write lands that is only slow: an API server gives up on one after 34 s. */
const lateMs = 34_000

/** The one Deployment, as an API server would keep it. */
class Cluster {
  replicas = 2
  available = 2
  version = 1
  managers: { manager: string }[] = []
  /** Writes that really landed. */
  effects: string[] = []
  gone = false
  forbidsUndo = false
  /** Answers of the next writes that differ from the plain truth. */
  lose: ('lost-answer' | 'lost-unlanded' | 'lost-lands-late' | 'not-sent' | 'refused')[] = []
  /** Passed admission, and lands when it is due unless the object has moved by then. */
  slow: { due: number; version: number; replicas: number; manager: string }[] = []

  object(): Observed {
    const managedFields = this.managers.map(({ manager }) => ({
      manager,
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    }))
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        ...{ name: 'web', namespace: 'shop', uid, generation: this.version },
        resourceVersion: String(this.version),
        managedFields,
      },
      spec: { replicas: this.replicas },
      status: {
        observedGeneration: this.version,
        replicas: this.replicas,
        readyReplicas: this.available,
        availableReplicas: this.available,
      },
    }
  }

  /** A write that was under way lands, once. */
  land(intent: string, replicas: number): void {
    if (this.replicas === replicas) return
    this.replicas = replicas
    this.available = replicas
    this.managers = [{ manager: fieldManager(intent, false) }]
    this.version++
  }

  /** What is due by now lands. */
  settle(now: number): void {
    for (const { due, version, replicas, manager } of this.slow) {
      if (due <= now && version === this.version) this.write(replicas, manager)
    }
    this.slow = this.slow.filter(({ due }) => due > now)
  }

  write(replicas: number, manager: string): void {
    this.effects.push(`${this.replicas}→${replicas}`)
    this.replicas = replicas
    this.managers = [{ manager }]
    this.version++
  }

  /** Somebody else sets the replicas. */
  meddle(replicas: number): void {
    this.replicas = replicas
    this.managers = [{ manager: 'kubectl' }]
    this.version++
  }
}

/** What may differ from the one usual intent. */
export interface LineOptions {
  readonly id?: string
  readonly agent?: string
  /** `workload.scale` of the one Deployment unless told otherwise. */
  readonly asks?: Pick<IntentClaims, 'action' | 'target'>
  /** Its cluster and its spending are this one's too. */
  readonly beside?: Line
}

export class Line {
  readonly id: string
  readonly cluster: Cluster
  spending: SpendingLog
  /** The alert, as it stands by now. */
  trigger: Trigger | undefined
  gate: Ports['breakers']['gate'] = async () => undefined
  now = Date.parse('2026-01-01T12:00:00Z')
  events: IntentEvent[] = []
  leaves: Leaf[] = []
  policies: ActionPolicySpec[] = [allowAll]
  /** In place of the policies, which are judged in this thread. */
  rules: Ports['rules'] | undefined
  class: AgentClassSpec = classSpec
  approvals: ApprovalView[] = []
  suspensions: SuspensionSpec[] = []
  systemLabels: Record<string, string> = {}
  incidents: Incident[] = []
  quotas: QuotaView[] = []
  budgets: BudgetView[] = []
  autoscalers: AutoscalerView[] = []
  /** Value of the PriorityClass that the Pods have. */
  priority: number | undefined = 0
  windows: CompiledWindow[] = []
  /** How far the clock has jumped. */
  ahead = 0
  oneOperator = false
  /** The namespace is not in the cache. */
  namespaceLost = false
  revoked = false
  /** Of the agent. */
  pod: PodView | undefined = { uid: podUid, phase: 'Running' }
  /** What gives the agents of the class more than reads. */
  wide: string | undefined
  synced = true
  deleting = false
  /** Called before every effect and after it, with its name; throwing is a crash there. */
  onEffect: (point: string) => void = () => undefined

  constructor(params: Json = { replicas: 5 }, options: LineOptions = {}) {
    const { beside, id: ownId = id, agent = 'jackstay-class-a/agent' } = options
    this.id = ownId
    this.cluster = beside?.cluster ?? new Cluster()
    this.now = beside?.now ?? this.now
    this.spending = beside?.spending ?? spendingLog({ now: () => this.now })
    const asks = options.asks ?? scaling
    const authenticated = authenticatedWith({ ...asks, params }, ownId, agent)
    this.events.push({ type: 'authenticated', at: this.#at(), data: authenticated })
  }

  #at(): string {
    return new Date(this.now).toISOString()
  }

  record(): IntentRecord {
    return fold(this.id, this.events)
  }

  phase(): string {
    const { phase, ended } = this.record()
    return ended === undefined ? phase : `${phase}/${ended.reason}`
  }

  /** Advances until the intent ends or waits. */
  async go(): Promise<string> {
    await advance(this.id, this.ports())
    return this.phase()
  }

  /** Advances, waking whenever the line asks to be woken, until it ends. */
  async toEnd(): Promise<string> {
    for (let i = 0; i < 100; i++) {
      const { record, wake } = await advance(this.id, this.ports())
      if (hasEnded(record)) return this.phase()
      this.now = Math.max(this.now + 1, wake?.at ?? this.now)
    }
    return this.phase()
  }

  /** The intent answers an alert, which fires. */
  alert(): void {
    const [first] = this.events
    if (first?.type !== 'authenticated') throw new TypeError('nothing was asked')
    this.trigger = {
      ...{ id: 't1', source: 'alertmanager', status: 'firing', fingerprint: 'f', groupKey: 'g' },
      ...{ startsAt: 'x', receivedAt: 'x', labels: {}, annotations: {} },
    }
    this.events[0] = { ...first, data: { ...first.data, trigger: this.trigger } }
  }

  resolve(): void {
    if (this.trigger !== undefined) this.trigger = { ...this.trigger, status: 'resolved' }
  }

  /** One person's verdict on the digest that is up for approval, or on another. */
  approve(options: Partial<ApprovalView> = {}): void {
    const digest = this.record().rehearsed?.digest ?? sha256('')
    const subject = { kind: 'Intent', name: this.id, uid } as const
    this.approvals.push(approval({ digest, subject, at: this.#at(), ...options }))
  }

  ports(): LinePorts {
    // as they are when they are asked for: tests edit them while the line runs
    const view = () => ({ name: 'a', uid, spec: this.class, hash: classHash(this.class) })
    const granting = () => approval({ digest: view().hash, namespace: systemNamespace })
    const rules = () =>
      compileRules(this.policies.map((spec, i) => ({ name: `p${i}`, spec }))).rules
    const object = { namespace: 'shop', name: this.id, uid, deleting: this.deleting }
    return {
      clock: { now: () => this.now },
      unsent: new Set(),
      steady: { ahead: () => this.ahead },
      oneOperator: this.oneOperator,
      clusterUid: podUid,
      catalogue,
      catalogueVersion,
      history: this.#history(),
      triggers: {
        get: async () => this.trigger,
        firing: async (limit) => this.incidents.slice(0, limit),
      },
      allowances: {
        ...{ take: () => true, pending: () => 0 },
        ...{ note: () => undefined, forget: () => undefined },
      },
      spending: this.spending,
      breakers: { gate: (record) => this.gate(record) },
      targets: this.#targets(),
      rules: this.rules ?? { decide: async (question) => decide({ ...question, rules: rules() }) },
      cluster: {
        synced: () => this.synced,
        class: view,
        classes: () => [view()],
        key: () => ({
          ...{ namespace: 'jackstay-class-a', class: 'a' },
          agent: this.record().authenticated.agent.name,
          ...{ podName: 'agent-0', podUid, thumbprint: kid, revoked: this.revoked },
          publicKey: { crv: 'Ed25519', kty: 'OKP', x: kid },
        }),
        pod: (namespace, name) =>
          namespace === 'jackstay-class-a' && name === 'agent-0' ? this.pod : undefined,
        namespace: (name) => {
          const labels = name === 'shop' ? { 'jackstay.dev/governed': 'true' } : this.systemLabels
          return this.namespaceLost && name === 'shop' ? undefined : { name, labels }
        },
        moreThanReads: () => this.wide,
        windows: () => this.windows,
        quotas: (namespace) => this.quotas.filter((q) => q.namespace === namespace),
        budgets: (namespace) => this.budgets.filter((b) => b.namespace === namespace),
        autoscalers: (namespace) => this.autoscalers.filter((a) => a.namespace === namespace),
        priority: () => this.priority,
        suspensions: () => this.suspensions,
        approvalsOf: (kind) => (kind === 'AgentClass' ? [granting()] : this.approvals),
        intentObjects: () => [],
        intentObject: () => ({
          ...{ ...object, createdAt: this.#at(), phase: undefined },
          statusHash: digestOf({}),
        }),
      },
    }
  }

  #history(): History {
    return {
      read: async () => this.record(),
      append: async (record, events, leaves) => {
        if (record.seq !== this.events.length) throw new Error('intent_conflict')
        const point = events.map((event) => event.type).join('+')
        this.onEffect(`before ${point}`)
        this.events.push(...events.map((e) => structuredClone(e)))
        this.leaves.push(...leaves)
        const now = this.record()
        this.spending.note(now)
        this.onEffect(`after ${point}`)
        return now
      },
    }
  }

  #targets(): Ports['targets'] {
    const read = async () => {
      this.cluster.settle(this.now)
      return this.cluster.gone ? undefined : this.cluster.object()
    }
    return {
      get: read,
      read,
      list: async () => [],
      listEverywhere: async () => [],
      ...unused,
      patch: async (_ref, body, bound, identity, { dryRun }) => {
        if (dryRun && identity.undo && this.cluster.forbidsUndo) {
          return { kind: 'refused', message: 'admission lets nobody undo' }
        }
        if (dryRun) return this.#patch(body, bound.resourceVersion, '', true)
        this.onEffect(`before write${identity.undo ? ' of undo' : ''}`)
        const manager = fieldManager(identity.intent, identity.undo)
        const answer = this.#patch(body, bound.resourceVersion, manager, false)
        this.onEffect(`after write${identity.undo ? ' of undo' : ''}`)
        return answer
      },
    }
  }

  #patch(body: unknown, version: string, manager: string, dryRun: boolean): WriteAnswer {
    const { cluster } = this
    const { replicas } = (body as { spec: { replicas: number } }).spec
    const trouble = dryRun ? undefined : cluster.lose.shift()
    if (trouble === 'not-sent') return { kind: 'not_sent', message: 'no connection' }
    if (trouble === 'lost-unlanded') return { kind: 'unknown', message: 'cut' }
    if (trouble === 'refused') return { kind: 'refused', message: 'admission said no' }
    if (version !== String(cluster.version)) return { kind: 'conflict', message: 'moved' }
    if (dryRun) {
      const now = cluster.object()
      return { kind: 'applied', object: { ...now, spec: { replicas } } }
    }
    if (trouble === 'lost-lands-late') {
      cluster.slow.push({ due: this.now + lateMs, version: cluster.version, replicas, manager })
      return { kind: 'unknown', message: 'no answer in time' }
    }
    cluster.write(replicas, manager)
    if (trouble === 'lost-answer') return { kind: 'unknown', message: 'cut' }
    return { kind: 'applied', object: cluster.object(), auditId: 'a1' }
  }
}
