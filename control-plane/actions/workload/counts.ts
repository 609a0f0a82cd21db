import type { Workload } from './observed.ts'

/** How many Pods a workload wants, and how many it has. */
export interface Counts {
  readonly wanted: number
  readonly present: number
  readonly ready: number
  readonly available: number
  readonly updated: number
}

export function countsOf(kind: string, { spec, status }: Workload): Counts {
  if (kind === 'DaemonSet') {
    return {
      wanted: status.desiredNumberScheduled,
      present: status.desiredNumberScheduled,
      ready: status.numberReady,
      available: status.numberAvailable,
      updated: status.updatedNumberScheduled,
    }
  }
  return {
    wanted: spec.replicas,
    present: status.replicas,
    ready: status.readyReplicas,
    available: status.availableReplicas,
    updated: status.updatedReplicas,
  }
}
