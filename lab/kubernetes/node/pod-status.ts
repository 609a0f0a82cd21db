import { isRecord } from '@jackstay/kube/resources'
import type { Stamps } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, listAt, numberAt, textAt } from '../resources/columns.ts'
import type { Behaviours } from './behaviour.ts'
import { isOver, type Lived, live } from './container.ts'

type Fields = Readonly<Record<string, unknown>>

export interface Surroundings {
  readonly behaviours: Behaviours
  /** Keys of a ConfigMap of the Pod's namespace, undefined where there is none. */
  readonly keysOf: (configMap: string) => readonly string[] | undefined
  /** Milliseconds since the Pod is on its node. */
  readonly here: number
  readonly clock: Stamps
  /** Addresses: the node's, and one of it for the Pod. */
  readonly hostIP: string
  readonly podIP: string
}

/** What has become of a Pod by now, and when it changes by itself. */
export function podStatus(pod: KubeObject, around: Surroundings) {
  const lives = livesOf(pod, around)
  const phase = phaseOf(lives)
  const before = isRecord(pod.status) ? pod.status : {}
  const { hostIP, podIP, clock } = around
  const began = phase !== 'Pending' || textAt(pod, 'status.podIP') !== ''
  return {
    dueMs: soonest(lives),
    status: {
      ...before,
      phase,
      ...{ hostIP, hostIPs: [{ ip: hostIP }] },
      ...(began && { podIP, podIPs: [{ ip: podIP }] }),
      startTime: textAt(pod, 'status.startTime') || clock.stamp('start'),
      observedGeneration: numberAt(pod.metadata, 'generation', 1),
      conditions: conditionsOf(pod, phase, lives, clock),
      containerStatuses: lives.map(({ status }) => status),
    },
  }
}

function livesOf(pod: KubeObject, around: Surroundings): readonly Lived[] {
  const { behaviours, keysOf, here, clock } = around
  const known = listAt(pod, 'status.containerStatuses').filter(isRecord)
  const containers = listAt(pod, 'spec.containers').filter(isRecord)
  return containers.map((container) => {
    const of = (what: string) => `${String(container.name)}/${what}`
    return live({
      ...{ container, here, missing: missingFor(container, keysOf) },
      before: known.find(({ name }) => name === container.name),
      behaviour: behaviours(String(container.image)),
      restarts: textAt(pod, 'spec.restartPolicy', 'Always'),
      clock: {
        stamp: (what) => clock.stamp(of(what)),
        elapsed: (what, stamp) => clock.elapsed(of(what), stamp),
      },
    })
  })
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

function phaseOf(lives: readonly Lived[]): Phase {
  const statuses = lives.map(({ status }) => status)
  if (statuses.length > 0 && statuses.every(isOver)) {
    const failed = statuses.some((one) => textAt(one, 'state.terminated.exitCode') !== '0')
    return failed ? 'Failed' : 'Succeeded'
  }
  const hasRun = statuses.some(
    (one) =>
      isOver(one) ||
      textAt(one, 'state.running.startedAt') !== '' ||
      textAt(one, 'lastState.terminated.finishedAt') !== '',
  )
  return hasRun ? 'Running' : 'Pending'
}

/** What a container's environment asks of ConfigMaps that is not there. */
function missingFor(container: object, keysOf: Surroundings['keysOf']): string | undefined {
  for (const variable of listAt(container, 'env')) {
    const name = textAt(variable, 'valueFrom.configMapKeyRef.name')
    const key = textAt(variable, 'valueFrom.configMapKeyRef.key')
    if (name === '' || textAt(variable, 'valueFrom.configMapKeyRef.optional') === 'true') continue
    const keys = keysOf(name)
    if (keys === undefined) return `configmap "${name}" not found`
    if (!keys.includes(key)) return `couldn't find key ${key} in ConfigMap ${name}`
  }
  for (const source of listAt(container, 'envFrom')) {
    const name = textAt(source, 'configMapRef.name')
    if (name === '' || textAt(source, 'configMapRef.optional') === 'true') continue
    if (keysOf(name) === undefined) return `configmap "${name}" not found`
  }
  return undefined
}

interface Condition {
  readonly type: string
  readonly holds: boolean
  readonly reason?: string
  readonly message?: string
}

function conditionsOf(
  pod: KubeObject,
  phase: Phase,
  lives: readonly Lived[],
  clock: Stamps,
): readonly object[] {
  const isOn = phase === 'Pending' || phase === 'Running'
  const containers = containersReady(phase, lives)
  const own: readonly Condition[] = [
    { type: 'PodReadyToStartContainers', holds: isOn },
    { type: 'Initialized', holds: true, ...(phase === 'Succeeded' && { reason: 'PodCompleted' }) },
    { ...(unmetGate(pod, containers) ?? containers), type: 'Ready' },
    { ...containers, type: 'ContainersReady' },
  ]
  const ownTypes = own.map(({ type }) => type)
  // whoever scheduled it, and whoever else has something to say
  const others = listAt(pod, 'status.conditions').filter(
    (one) => !ownTypes.includes(textAt(one, 'type')),
  )
  const stamped = own.map((one) => held(pod, one, clock))
  return [...stamped, ...others.filter(isRecord)]
}

function containersReady(phase: Phase, lives: readonly Lived[]): Omit<Condition, 'type'> {
  const unready = lives.filter(({ status }) => status.ready !== true)
  if (phase === 'Succeeded') return { holds: false, reason: 'PodCompleted' }
  if (phase === 'Failed') return { holds: false, reason: 'PodFailed' }
  if (unready.length === 0) return { holds: true }
  const names = unready.map(({ status }) => String(status.name)).join(' ')
  const message = `containers with unready status: [${names}]`
  return { holds: false, reason: 'ContainersNotReady', message }
}

/** A gate that somebody else has to open. */
function unmetGate(
  pod: KubeObject,
  { holds }: Omit<Condition, 'type'>,
): Omit<Condition, 'type'> | undefined {
  const types = listAt(pod, 'spec.readinessGates').map((gate) => textAt(gate, 'conditionType'))
  const shut = types.filter((type) => textAt(conditionOf(pod, type), 'status') !== 'True')
  if (!holds || shut.length === 0) return undefined
  const words = shut.map((type) =>
    conditionOf(pod, type) === undefined
      ? `corresponding condition of pod readiness gate "${type}" does not exist.`
      : `the status of pod readiness gate "${type}" is not "True", but ${textAt(conditionOf(pod, type), 'status')}`,
  )
  return { holds: false, reason: 'ReadinessGatesNotReady', message: words.join(', ') }
}

function held(pod: KubeObject, { holds, ...about }: Condition, clock: Stamps): Fields {
  const known = conditionOf(pod, about.type)
  const status = holds ? 'True' : 'False'
  const since = textAt(known, 'status') === status ? textAt(known, 'lastTransitionTime') : ''
  return {
    ...about,
    status,
    lastProbeTime: null,
    lastTransitionTime: since || clock.stamp(about.type),
  }
}

function soonest(lives: readonly Lived[]): number | undefined {
  const due = lives.flatMap(({ dueMs }) => dueMs ?? [])
  return due.length === 0 ? undefined : Math.min(...due)
}
