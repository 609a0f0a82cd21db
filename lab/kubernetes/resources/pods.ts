import type { KubeObject } from '../objects.ts'
import {
  ageColumn,
  ageOf,
  column,
  conditionOf,
  listAt,
  nameColumn,
  numberAt,
  textAt,
  wide,
} from './columns.ts'
import type { Column } from './resource.ts'

/** One word for how a container that does not run is. */
function wordOf(container: unknown): string | undefined {
  const waiting = textAt(container, 'state.waiting.reason')
  if (waiting !== '') return waiting
  const terminated = textAt(container, 'state.terminated.reason')
  if (terminated !== '') return terminated
  const signal = numberAt(container, 'state.terminated.signal')
  if (signal !== 0) return `Signal:${signal}`
  const code = textAt(container, 'state.terminated.exitCode')
  return code === '' ? undefined : `ExitCode:${code}`
}

function initWord(pod: KubeObject): string | undefined {
  const statuses = listAt(pod, 'status.initContainerStatuses')
  const total = listAt(pod, 'spec.initContainers').length
  for (const [i, status] of statuses.entries()) {
    const code = textAt(status, 'state.terminated.exitCode')
    if (code === '0') continue
    if (code !== '') return `Init:${wordOf(status) ?? ''}`
    const waiting = textAt(status, 'state.waiting.reason')
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${i}/${total}`
  }
  return undefined
}

/** The word in the column `STATUS`. */
export function statusWord(pod: KubeObject): string {
  let word = textAt(pod, 'status.reason') || textAt(pod, 'status.phase')
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (textAt(scheduled, 'reason') === 'SchedulingGated') word = 'SchedulingGated'
  const initialising = initWord(pod)
  if (initialising !== undefined) word = initialising
  else word = runningWord(pod, word)
  if (pod.metadata.deletionTimestamp !== undefined) {
    return textAt(pod, 'status.reason') === 'NodeLost' ? 'Unknown' : 'Terminating'
  }
  return word
}

function runningWord(pod: KubeObject, otherwise: string): string {
  const statuses = listAt(pod, 'status.containerStatuses')
  let word = otherwise
  for (const status of statuses.toReversed()) word = wordOf(status) ?? word
  const runs = statuses.some(
    (status) => isReady(status) && textAt(status, 'state.running.startedAt') !== '',
  )
  if (word !== 'Completed' || !runs) return word
  return textAt(conditionOf(pod, 'Ready'), 'status') === 'True' ? 'Running' : 'NotReady'
}

function isReady(status: unknown): boolean {
  return textAt(status, 'ready') === 'true'
}

function readyOf(pod: KubeObject): string {
  const ready = listAt(pod, 'status.containerStatuses').filter(
    (status) => isReady(status) && textAt(status, 'state.running.startedAt') !== '',
  )
  return `${ready.length}/${listAt(pod, 'spec.containers').length}`
}

function restartsOf(pod: KubeObject, now: number): string {
  const statuses = listAt(pod, 'status.containerStatuses')
  const restarts = statuses.reduce(
    (sum: number, status) => sum + numberAt(status, 'restartCount'),
    0,
  )
  const last = statuses
    .map((status) => textAt(status, 'lastState.terminated.finishedAt'))
    .filter((time) => time !== '')
    .sort()
    .at(-1)
  return restarts > 0 && last !== undefined
    ? `${restarts} (${ageOf(last, now)} ago)`
    : String(restarts)
}

function gatesOf(pod: KubeObject): string {
  const gates = listAt(pod, 'spec.readinessGates')
  if (gates.length === 0) return '<none>'
  const met = gates.filter(
    (gate) => textAt(conditionOf(pod, textAt(gate, 'conditionType')), 'status') === 'True',
  )
  return `${met.length}/${gates.length}`
}

/** What `kubectl get pods` shows. */
export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', readyOf),
  column('Status', statusWord),
  column('Restarts', restartsOf),
  ageColumn,
  wide('IP', (pod) => textAt(pod, 'status.podIP', '<none>')),
  wide('Node', (pod) => textAt(pod, 'spec.nodeName', '<none>')),
  wide('Nominated Node', (pod) => textAt(pod, 'status.nominatedNodeName', '<none>')),
  wide('Readiness Gates', gatesOf),
]
