import { isAlive } from './process.ts'
import type { ClusterState } from './state.ts'

/** Whether the cluster is as somebody wants it: not one whose owner or programs have died. */
export function isInUse({ phase, attached, owner, programs }: ClusterState): boolean {
  switch (phase) {
    case 'starting':
      return isAlive(owner)
    case 'stopping':
      return false
    case 'up':
      // an API server that a test stopped is no crash, so one living program is enough
      return (!attached || isAlive(owner)) && programs.some((one) => isAlive(one.process))
  }
}
