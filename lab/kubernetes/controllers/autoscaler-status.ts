import { isRecord } from '@jackstay/kube/resources'
import type { Stamps } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { conditionOf, listAt, textAt } from '../resources/columns.ts'

type Type = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited'

interface Condition {
  readonly type: Type
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export const condition = (
  type: Type,
  holds: boolean,
  reason: string,
  message: string,
): Condition => ({ type, status: holds ? 'True' : 'False', reason, message })

/** The conditions with news in them: each keeps its place, and its time while its status stays. */
export function conditionsWith(
  scaler: KubeObject,
  news: readonly Condition[],
  clock: Stamps,
): readonly object[] {
  const known = listAt(scaler, 'status.conditions').filter(isRecord)
  const types = known.map(({ type }) => String(type))
  const added = news.filter(({ type }) => !types.includes(type))
  const kept = known.map((one) => {
    const said = news.findLast(({ type }) => type === one.type)
    return said === undefined ? one : stamped(scaler, said, clock)
  })
  const last = new Map(added.map((one) => [one.type, one]))
  return [...kept, ...[...last.values()].map((one) => stamped(scaler, one, clock))]
}

function stamped(scaler: KubeObject, said: Condition, clock: Stamps): object {
  const before = conditionOf(scaler, said.type)
  const same = textAt(before, 'status') === said.status
  const since = same ? textAt(before, 'lastTransitionTime') : ''
  return { ...said, lastTransitionTime: since || clock.stamp(said.type) }
}

export interface Bounds {
  readonly min: number
  readonly max: number
}

/** A recommendation as it may be followed: within bounds, and not faster than upscaling may go. */
export function limited(
  recommended: number,
  current: number,
  { min, max }: Bounds,
): { readonly desired: number; readonly limit: Condition } {
  const fastest = Math.max(2 * current, 4)
  const most = Math.min(max, fastest)
  const say = (desired: number, holds: boolean, reason: string, message: string) => ({
    desired,
    limit: condition('ScalingLimited', holds, reason, message),
  })
  if (recommended < min) {
    return say(
      ...([min, true, 'TooFewReplicas'] as const),
      'the desired replica count is less than the minimum replica count',
    )
  }
  if (recommended > most && max > fastest) {
    return say(
      ...([most, true, 'ScaleUpLimit'] as const),
      'the desired replica count is increasing faster than the maximum scale rate',
    )
  }
  if (recommended > most) {
    return say(
      ...([most, true, 'TooManyReplicas'] as const),
      'the desired replica count is more than the maximum replica count',
    )
  }
  return say(
    ...([recommended, false, 'DesiredWithinRange'] as const),
    'the desired count is within the acceptable range',
  )
}
