import type { LabClock } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, holds, textAt } from '../resources/columns.ts'

/** Not done, and nobody has asked it to go. */
export function isActive(pod: KubeObject): boolean {
  const phase = textAt(pod, 'status.phase')
  return phase !== 'Succeeded' && phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined
}

export function isReady(pod: KubeObject): boolean {
  return holds(pod, 'Ready')
}

/** Ready for so long that it counts. */
export function isAvailable(pod: KubeObject, minReadySeconds: number, clock: LabClock): boolean {
  return isReady(pod) && untilAvailable(pod, minReadySeconds, clock) <= 0
}

/** How many of the lab's milliseconds a ready Pod is short of counting. */
export function untilAvailable(pod: KubeObject, minReadySeconds: number, clock: LabClock): number {
  if (minReadySeconds === 0) return 0
  const since = textAt(conditionOf(pod, 'Ready'), 'lastTransitionTime')
  return minReadySeconds * 1000 - clock.elapsed(`${pod.metadata.uid}/Ready`, since)
}

/** Those that are missed least come first: on no node, not ready, restarted, young. */
export function byWorth(pods: readonly KubeObject[]): readonly KubeObject[] {
  const worth = (pod: KubeObject) => [
    textAt(pod, 'spec.nodeName') === '' ? 0 : 1,
    textAt(pod, 'status.phase') === 'Running' ? 1 : 0,
    isReady(pod) ? 1 : 0,
    -Date.parse(pod.metadata.creationTimestamp ?? ''),
  ]
  return pods
    .map((pod) => ({ pod, worth: worth(pod) }))
    .sort((a, b) => {
      const at = a.worth.findIndex((value, i) => value !== b.worth[i])
      return at < 0 ? 0 : (a.worth[at] ?? 0) - (b.worth[at] ?? 0)
    })
    .map(({ pod }) => pod)
}
