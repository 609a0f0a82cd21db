import type { Json } from '@jackstay/contract/json'
import type { Plan } from '@jackstay/contract/plan'
import { type Observed, overtaken, type Progress } from '../action.ts'
import { countsOf } from './counts.ts'
import { disruptionOf, rolloutGrowth } from './disruption.ts'
import { type Found, type Workload, workload } from './observed.ts'

const exceeded = 'ProgressDeadlineExceeded'

/** Since when an earlier rollout is stuck: its condition stays until the next one moves. */
function stuckSince({ status }: Workload): string {
  const found = status.conditions.find((c) => c.type === 'Progressing' && c.reason === exceeded)
  return found?.lastUpdateTime ?? ''
}

/** What a plan that starts a rollout puts on record, for its success test. */
export function rolloutFacts({ ref, workload: w }: Found): Plan['observed'] {
  const { present, ready } = countsOf(ref.kind, w)
  const since = stuckSince(w)
  return {
    replicas: present,
    readyReplicas: ready,
    ...(since !== '' && { stuckSince: since }),
  }
}

/**
 * Whether a rollout is finished: the controller has seen the template, every Pod is of it and
 * available, and no older one is left (as `kubectl rollout status` has it).
 */
export function rolloutProgress(plan: Plan, object: Observed | undefined): Progress {
  const foreign = overtaken(plan, object)
  if (foreign !== undefined || object === undefined) {
    return { state: 'broken', message: foreign ?? 'the workload is gone' }
  }
  const w = workload.parse(object)
  const { wanted, present, available, updated } = countsOf(plan.target.kind, w)
  if (w.status.observedGeneration < w.metadata.generation) {
    return { state: 'pending', message: 'the controller has not seen the change yet' }
  }
  const since = stuckSince(w)
  if (since !== '' && since !== plan.observed.stuckSince) {
    return { state: 'broken', message: `the rollout is stuck: ${exceeded}` }
  }
  const message = `${updated} of ${wanted} Pods updated, ${available} available`
  if (updated < wanted) return { state: 'pending', message }
  const old = present - updated
  if (old > 0) return { state: 'pending', message: `${message}, ${old} old ones are still there` }
  return { state: available >= wanted ? 'holds' : 'pending', message }
}

/** Ready Pods that a rolling update takes away at once, at most. */
function lostAtOnce({ ref, workload: w }: Found): number {
  const { ready, wanted } = countsOf(ref.kind, w)
  const { strategy, updateStrategy } = w.spec
  if (ref.kind === 'Deployment') {
    if (strategy.type === 'Recreate') return ready
    return Math.min(ready, share(strategy.rollingUpdate.maxUnavailable ?? '25%', wanted))
  }
  const most = share(updateStrategy.rollingUpdate.maxUnavailable ?? 1, wanted)
  // a StatefulSet always replaces one at least; a DaemonSet with a surge none
  return Math.min(ready, ref.kind === 'StatefulSet' ? Math.max(1, most) : most)
}

/** What `rolloutProgress` waits for, in words. */
export const rolloutSuccess =
  'the controller has seen the change, every Pod is of the new template and available, and no older one is left; at once failed where the rollout exceeds its progress deadline'

/** How far a rollout reaches, to the Pod spec that it brings; the same one where none is given. */
export function rolloutReach(found: Found, podSpec?: Json) {
  const { ref, workload: w } = found
  const { wanted } = countsOf(ref.kind, w)
  const lost = lostAtOnce(found)
  return {
    inWords: `replaces ${wanted} Pods, ${lost} ready ones at a time at most`,
    plan: {
      blastRadius: {
        objects: 1,
        pods: wanted,
        readyReplicasLost: lost,
        namespaces: [w.metadata.namespace],
      },
      disrupts: [disruptionOf(found, { lost, growth: rolloutGrowth(found, podSpec) })],
      reversibility: 'inverse' as const,
      observed: rolloutFacts(found),
    },
  }
}

/** `2` or `25%` of the Pods, rounded down as the controllers do. */
function share(value: Json, of: number): number {
  if (typeof value === 'number') return value
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined
  // what does not read may be all of them
  return percent === undefined ? of : Math.floor((Number(percent) * of) / 100)
}
