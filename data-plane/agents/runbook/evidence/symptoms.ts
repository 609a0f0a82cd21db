import { isReady } from './findings.ts'
import type { ContainerStatus, Pod } from './objects.ts'

/** What is wrong with one Pod. A Pod shows one symptom at most: the one that keeps it from running. */
export type Symptom =
  | { readonly kind: 'image'; readonly reason: string; readonly message: string }
  | { readonly kind: 'out-of-memory' }
  | { readonly kind: 'crash'; readonly exitCode: number }
  | { readonly kind: 'unschedulable'; readonly message: string }
  /** Something of its configuration is not there. */
  | { readonly kind: 'configuration'; readonly message: string }
  /** Runs, and does not pass its readiness probe: says nothing before a deadline has passed. */
  | { readonly kind: 'unready' }
  /** On its way, as every new Pod is for a while: says nothing yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'unexplained'; readonly words: string }

export interface Sick<S extends Symptom = Symptom> {
  readonly pod: Pod
  /** Absent where the whole Pod is concerned. */
  readonly container?: string
  readonly symptom: S
}

const imageReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
])
const startingReasons = new Set(['', 'ContainerCreating', 'PodInitializing'])
/** A Pod that is ready and restarted less often than this has recovered. */
const restartsOfALoop = 3
const recentMs = 10 * 60_000

/** Pods that do not do what they should, and why, as the kubelet and the scheduler report it. */
export function symptomsOf(pods: readonly Pod[], at: number): readonly Sick[] {
  return pods.flatMap((pod) => {
    if (pod.metadata.deletionTimestamp !== undefined) return []
    if (isReady(pod)) return loopsWhileReady(pod, at)
    return [ofPod(pod)]
  })
}

/** Those that show one symptom. */
export function showing<K extends Symptom['kind']>(
  kind: K,
  sick: readonly Sick[],
): readonly Sick<Extract<Symptom, { kind: K }>>[] {
  const has = (one: Sick): one is Sick<Extract<Symptom, { kind: K }>> => one.symptom.kind === kind
  return sick.filter(has)
}

function ofPod(pod: Pod): Sick {
  const { status } = pod
  const scheduled = status.conditions.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { pod, symptom: { kind: 'unschedulable', message: scheduled.message } }
  }
  if (status.phase !== 'Pending' && status.phase !== 'Running') {
    return { pod, symptom: { kind: 'unexplained', words: status.phase } }
  }
  const found = containersOf(pod).flatMap((one) => {
    const symptom = ofContainer(one)
    return symptom ? [{ pod, container: one.name, symptom }] : []
  })
  const telling = found.find(({ symptom }) => !onItsWay(symptom))
  return telling ?? found[0] ?? { pod, symptom: { kind: 'starting' } }
}

/** Whether it may come to something by itself. */
export function onItsWay({ kind }: Symptom): boolean {
  return kind === 'starting' || kind === 'unready'
}

function ofContainer({ ready, restartCount, state, lastState }: ContainerStatus) {
  const { waiting } = state
  const ended = state.terminated ?? lastState.terminated
  if (waiting !== undefined && imageReasons.has(waiting.reason)) {
    const { reason, message } = waiting
    return { kind: 'image', reason, message } as const
  }
  if (ended?.reason === 'OOMKilled') return { kind: 'out-of-memory' } as const
  if (ready) return undefined
  const looping = waiting?.reason === 'CrashLoopBackOff' || restartCount > 0
  if (looping && ended !== undefined) {
    return { kind: 'crash', exitCode: ended.exitCode } as const
  }
  if (waiting?.reason === 'CreateContainerConfigError') {
    return { kind: 'configuration', message: waiting.message } as const
  }
  if (waiting !== undefined && !startingReasons.has(waiting.reason)) {
    return { kind: 'unexplained', words: waiting.reason } as const
  }
  return { kind: state.running === undefined ? 'starting' : 'unready' } as const
}

/** Without a readiness probe a Pod counts as ready between two crashes. */
function loopsWhileReady(pod: Pod, at: number): Sick[] {
  return containersOf(pod).flatMap((one): Sick[] => {
    const { terminated } = one.lastState
    if (terminated === undefined || one.restartCount < restartsOfALoop) return []
    // a time that cannot be read counts as recent
    if (Date.parse(terminated.finishedAt) < at - recentMs) return []
    const symptom: Symptom =
      terminated.reason === 'OOMKilled'
        ? { kind: 'out-of-memory' }
        : { kind: 'crash', exitCode: terminated.exitCode }
    return [{ pod, container: one.name, symptom }]
  })
}

function containersOf({ status }: Pod): readonly ContainerStatus[] {
  return [...status.initContainerStatuses, ...status.containerStatuses]
}
