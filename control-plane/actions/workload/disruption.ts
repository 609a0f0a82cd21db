import { at } from '@jackstay/contract/field-changes'
import { isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import type { Disruption, Growth } from '@jackstay/judge/disruption'
import type { Observed } from '../action.ts'
import { countsOf } from './counts.ts'
import type { Found } from './observed.ts'

interface Change {
  readonly lost: number
  /** Replicas afterwards, where the change sets them. */
  readonly replicas?: number
  readonly growth?: Growth
}

/** What a change does to the Pods of one workload, as the workload itself counts them. */
export function disruptionOf({ ref, workload: w }: Found, change: Change): Disruption {
  const { wanted, ready } = countsOf(ref.kind, w)
  const { labels } = w.spec.template.metadata
  return {
    ...{ kind: ref.kind, namespace: w.metadata.namespace, name: ref.name },
    ...{ labels: w.metadata.labels, pods: [{ labels, lost: change.lost }] },
    ready,
    replicas: { before: wanted, after: change.replicas ?? wanted },
    priority: w.spec.template.spec.priorityClassName,
    ...(change.growth && { growth: change.growth }),
  }
}

/** The Pods that a rollout adds at its peak. */
export function rolloutGrowth(found: Found, after: Json | undefined): Growth {
  const { ref, workload: w, object } = found
  const { wanted } = countsOf(ref.kind, w)
  const before = podSpec(at(object, '/spec/template/spec'))
  const spec = after === undefined ? before : podSpec(after)
  return { extra: surge(found, wanted), replaced: wanted, before, after: spec }
}

/** More replicas of the same template. */
export function scaleGrowth({ workload: w, object }: Found, replicas: number): Growth {
  const spec = templateSpec(object)
  const extra = Math.max(0, replicas - w.spec.replicas)
  const volumes = extra > 0 && w.spec.volumeClaimTemplates.length > 0
  const unknown = volumes ? ['persistentvolumeclaims', 'requests.storage'] : []
  return { extra, replaced: 0, before: spec, after: spec, unknown }
}

export function templateSpec(object: Observed): JsonMap {
  return podSpec(at(object, '/spec/template/spec'))
}

function podSpec(value: Json | undefined): JsonMap {
  return isMap(value) ? value : {}
}

function surge({ ref, workload: { spec } }: Found, wanted: number): number {
  if (ref.kind === 'StatefulSet') return 0
  const { strategy, updateStrategy } = spec
  if (ref.kind === 'DaemonSet') return share(updateStrategy.rollingUpdate.maxSurge ?? 0, wanted)
  if (strategy.type === 'Recreate') return 0
  return share(strategy.rollingUpdate.maxSurge ?? '25%', wanted)
}

/** `2` or `25%` of the Pods, rounded up as the controllers do for a surge. */
function share(value: Json, of: number): number {
  if (typeof value === 'number') return value
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined
  return percent === undefined ? of : Math.ceil((Number(percent) * of) / 100)
}
