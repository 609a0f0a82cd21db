import type { Findings } from './evidence/findings.ts'
import { autoscaler, deployment, event, node, pod, replicaSet } from './evidence/objects.ts'

/** Builders for tests: what a cluster shows after an incident, in Kubernetes' own shape. */
export interface Names {
  readonly namespace: string
  readonly deployment: string
  readonly container: string
  readonly node: string
}

export const names: Names = { namespace: 'shop', deployment: 'web', container: 'app', node: 'n1' }
export const at = Date.UTC(2026, 0, 5, 12)
export const before = (ms: number) => new Date(at - ms).toISOString()

type Fields = Readonly<Record<string, unknown>>

/** A Deployment in the middle of a rollout, or after it. */
export interface Scene {
  readonly names?: Names
  /** Changes of its template from the revision before to the current one. */
  readonly old?: Fields
  readonly current?: Fields
  /** Ready Pods of the revision before. */
  readonly serving?: number
  /** Status of each Pod of the current revision. */
  readonly pods?: readonly Fields[]
  /** Status of each further Pod of the revision before. */
  readonly oldPods?: readonly Fields[]
  readonly deployment?: {
    readonly metadata?: Fields
    readonly spec?: Fields
    readonly status?: Fields
  }
  /** The whole rollout was completed once. */
  readonly rolledOut?: boolean
  readonly withoutOld?: boolean
  readonly nodes?: readonly unknown[]
  readonly events?: readonly unknown[]
  readonly autoscalers?: readonly unknown[]
  readonly unread?: Findings['unread']
}

export function sceneOf(scene: Scene): Findings {
  const n = scene.names ?? names
  const { serving = 2, pods = [], oldPods = [] } = scene
  const sets = [
    replicaSetOf(n, 2, containerOf(n, scene.current)),
    ...(scene.withoutOld ? [] : [replicaSetOf(n, 1, containerOf(n, scene.old))]),
  ]
  const ready = Array.from({ length: serving }, () => readyStatus)
  const all = [
    ...pods.map((status, i) => podOf(n, 2, i, status)),
    ...[...ready, ...oldPods].map((status, i) => podOf(n, 1, i, status)),
  ]
  return {
    at,
    cordonSettledMs: 600_000,
    deployment: deployment.parse(deploymentOf(n, scene, all.length)),
    replicaSets: sets.map((one) => replicaSet.parse(one)),
    autoscalers: (scene.autoscalers ?? []).map((one) => autoscaler.parse(one)),
    pods: all.map((one) => pod.parse(one)),
    events: (scene.events ?? []).map((one) => event.parse(one)),
    nodes: (scene.nodes ?? []).map((one) => node.parse(one)),
    unread: scene.unread ?? {},
  }
}

function deploymentOf(
  n: Names,
  { deployment = {}, serving = 2, rolledOut, pods = [] }: Scene,
  total: number,
) {
  const reason = rolledOut ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated'
  return {
    metadata: {
      name: n.deployment,
      namespace: n.namespace,
      uid: `uid-of-${n.deployment}`,
      generation: 4,
      annotations: { [revision]: '2' },
      ...deployment.metadata,
    },
    spec: { replicas: 2, selector: { matchLabels: { app: n.deployment } }, ...deployment.spec },
    status: {
      observedGeneration: 4,
      replicas: total,
      updatedReplicas: pods.length,
      availableReplicas: serving,
      conditions: [{ type: 'Progressing', status: 'True', reason }],
      ...deployment.status,
    },
  }
}

const revision = 'deployment.kubernetes.io/revision'
const setName = (n: Names, number: number) => `${n.deployment}-${number}`

function replicaSetOf(n: Names, number: number, container: Fields) {
  return {
    metadata: {
      name: setName(n, number),
      uid: `uid-of-${setName(n, number)}`,
      annotations: { [revision]: String(number) },
      ownerReferences: [{ kind: 'Deployment', name: n.deployment, uid: `uid-of-${n.deployment}` }],
    },
    spec: {
      template: {
        metadata: { labels: { app: n.deployment, 'pod-template-hash': `hash${number}` } },
        spec: { containers: [container] },
      },
    },
  }
}

function containerOf(n: Names, changes: Fields = {}): Fields {
  return { name: n.container, image: 'registry/app:1', ...changes }
}

function podOf(n: Names, number: number, index: number, status: Fields) {
  const { metadata, nodeName = n.node, ...rest } = status
  return {
    metadata: {
      name: `${setName(n, number)}-${index}`,
      uid: `uid-${number}-${index}`,
      ownerReferences: [{ uid: `uid-of-${setName(n, number)}`, name: setName(n, number) }],
      ...(typeof metadata === 'object' && metadata),
    },
    spec: { nodeName },
    status: named(rest, n.container),
  }
}

/** Statuses are written without the container's name. */
function named(status: Fields, name: string): Fields {
  const list = status.containerStatuses
  if (!Array.isArray(list)) return status
  return { ...status, containerStatuses: list.map((one) => ({ name, ...one })) }
}

const condition = (type: string, status: string, more: Fields = {}) => ({ type, status, ...more })

export const readyStatus: Fields = {
  phase: 'Running',
  conditions: [condition('Ready', 'True')],
  containerStatuses: [{ ready: true, state: {} }],
}

export function waitingFor(reason: string, message = '', more: Fields = {}): Fields {
  return {
    phase: 'Pending',
    conditions: [condition('Ready', 'False')],
    containerStatuses: [{ state: { waiting: { reason, message } }, ...more }],
  }
}

export function ended(reason: string, exitCode: number, finishedAt = before(5000)) {
  return { terminated: { reason, exitCode, finishedAt } }
}

export function crashing(exitCode = 1, reason = 'Error'): Fields {
  const more = { restartCount: 3, lastState: ended(reason, exitCode) }
  return { ...waitingFor('CrashLoopBackOff', 'back-off 40s', more), phase: 'Running' }
}

export const killed = crashing(137, 'OOMKilled')

export function unplaced(message: string): Fields {
  const conditions = [condition('PodScheduled', 'False', { reason: 'Unschedulable', message })]
  return { phase: 'Pending', conditions, nodeName: undefined }
}

export function nodeOf(
  name: string,
  changes: { metadata?: Fields; spec?: Fields; status?: Fields } = {},
) {
  return {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      labels: { 'jackstay.dev/governed': 'true', 'kubernetes.io/hostname': name },
      ...changes.metadata,
    },
    spec: { ...changes.spec },
    status: {
      conditions: [condition('Ready', 'True'), condition('MemoryPressure', 'False')],
      ...changes.status,
    },
  }
}

/** Closed for new Pods an hour ago. */
export function cordoned(name: string, changes: Parameters<typeof nodeOf>[1] = {}, ago = 3600_000) {
  const taint = {
    key: 'node.kubernetes.io/unschedulable',
    effect: 'NoSchedule',
    timeAdded: before(ago),
  }
  return nodeOf(name, {
    ...changes,
    spec: { unschedulable: true, taints: [taint], ...changes.spec },
  })
}
