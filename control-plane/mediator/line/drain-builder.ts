import type { Observed } from '@jackstay/actions/action'
import type { ActionPolicySpec } from '@jackstay/contract/kinds/action-policy'
import type { LinePorts, WriteAnswer } from '../ports.ts'
import { classSpec, Line } from './line-builder.ts'

/** Builders for tests of plans with many writes: a node with Pods of two namespaces, and its drain. */

const uidOf = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
const nodeUid = uidOf(100)
const governed = { 'jackstay.dev/governed': 'true' }

/** The node and its Pods, as an API server would keep them. */
class NodeWorld {
  cordoned = false
  version = 1
  manager = 'kubectl'
  /** `<namespace>/<name>`, in the order of the plan. */
  pods = ['bank/a', 'shop/b', 'shop/c']
  readonly labels: Record<string, Record<string, string>> = {
    bank: { ...governed },
    shop: { ...governed },
  }
  /** A disruption budget holds these back. */
  held: readonly string[] = []
  /** Writes that really landed. */
  effects: string[] = []

  node(): Observed {
    const managedFields = [
      { manager: this.manager, fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } },
    ]
    return {
      metadata: {
        ...{ name: 'n1', uid: nodeUid, resourceVersion: String(this.version), managedFields },
        labels: governed,
      },
      spec: this.cordoned ? { unschedulable: true } : {},
    }
  }

  pod(full: string): Observed {
    const [namespace = '', name = ''] = full.split('/')
    const uid = uidOf(full.charCodeAt(full.length - 1))
    const owner = { kind: 'ReplicaSet', name: 'o', uid: uidOf(900), controller: true }
    return {
      metadata: { ...{ name, namespace, uid, resourceVersion: '1' }, ownerReferences: [owner] },
      spec: { nodeName: 'n1', volumes: [] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    }
  }

  read(kind: string, namespace: string, name: string): Observed | undefined {
    if (kind === 'Node') return this.node()
    if (kind === 'Namespace') return { metadata: { name, labels: this.labels[name] ?? {} } }
    const full = `${namespace}/${name}`
    return this.pods.includes(full) ? this.pod(full) : undefined
  }

  cordon(body: unknown, manager: string, dryRun: boolean): WriteAnswer {
    const { unschedulable } = (body as { spec: { unschedulable: boolean | null } }).spec
    const closed = unschedulable === true
    const { metadata } = this.node()
    if (dryRun) {
      const spec = closed ? { unschedulable: true } : {}
      return { kind: 'applied', object: { ...this.node(), metadata: metadata ?? {}, spec } }
    }
    this.cordoned = closed
    this.manager = manager
    this.version++
    this.effects.push(closed ? 'cordon' : 'uncordon')
    return { kind: 'applied', object: this.node() }
  }

  evict(full: string, dryRun: boolean): WriteAnswer {
    if (this.held.includes(full)) return { kind: 'later', message: 'a budget holds it back' }
    if (!dryRun) {
      this.pods = this.pods.filter((one) => one !== full)
      this.effects.push(`evict ${full}`)
    }
    return { kind: 'applied', object: {} }
  }
}

export const drainClass = {
  ...classSpec,
  actions: [{ name: 'node.drain', targets: { namespaces: ['*'], names: ['*'] } }],
  verifySeconds: 3600,
}

export const drainAllowed: ActionPolicySpec = {
  mode: 'enforce',
  actions: ['node.drain'],
  rules: [{ name: 'allow', allow: { when: 'true' } }],
}

export const drainAsked: ActionPolicySpec = {
  ...drainAllowed,
  rules: [
    ...drainAllowed.rules,
    { name: 'people', requireApproval: { when: 'true', count: 1, groups: ['oncall'] } },
  ],
}

/** A line that drains the node: cordon, then bank/a, shop/b, shop/c. */
export class DrainLine extends Line {
  readonly world = new NodeWorld()

  constructor() {
    super({}, { asks: { action: 'node.drain', target: nodeTarget } })
    this.class = drainClass
    this.policies = [drainAllowed]
  }

  /** Does something once, right after so many writes are on record. */
  afterWrites(count: number, change: () => void): void {
    let left = count
    this.onEffect = (point) => {
      if (point === 'after written' && --left === 0) change()
    }
  }

  override ports(): LinePorts {
    const ports = super.ports()
    const { world } = this
    const labelsOf = (name: string) => world.labels[name] ?? this.systemLabels
    return {
      ...ports,
      cluster: { ...ports.cluster, namespace: (name) => ({ name, labels: labelsOf(name) }) },
      targets: {
        ...ports.targets,
        get: async ({ kind }, namespace, name) => world.read(kind, namespace, name),
        read: async ({ kind, namespace = '', name }) => world.read(kind, namespace, name),
        listEverywhere: async () => world.pods.map((full) => world.pod(full)),
        patch: async (_, body, __, { intent, undo }, { dryRun }) =>
          world.cordon(body, `jackstay-${intent}${undo ? '-undo' : ''}`, dryRun),
        evict: async ({ object: { namespace, name } }, _, __, { dryRun }) =>
          world.evict(`${namespace}/${name}`, dryRun),
      },
    }
  }
}

const nodeTarget = { apiVersion: 'v1', kind: 'Node', name: 'n1' }
