import type { Reading } from '@jackstay/contract/plan'
import type { Refusal } from '../action.ts'
import { reading } from '../field-write.ts'
import { placeOf } from '../target.ts'
import type { Found } from './observed.ts'

/** Why a new template would start no rollout by itself, or undefined. */
export function rollsNothing({ ref, workload: { spec } }: Found): Refusal | undefined {
  const place = placeOf(ref)
  if (ref.kind === 'Deployment') {
    if (!spec.paused) return undefined
    const message = `the Deployment \`${place}\` is paused; resume it first`
    return { refused: 'unsuitable_target', message }
  }
  const { type, rollingUpdate } = spec.updateStrategy
  if (type === 'RollingUpdate' && rollingUpdate.partition === 0) return undefined
  const why =
    type === 'RollingUpdate'
      ? `updates only Pods from number ${rollingUpdate.partition} on`
      : `replaces Pods only when they are deleted (${type})`
  const message = `the ${ref.kind} \`${place}\` ${why}; change its update strategy first`
  return { refused: 'unsuitable_target', message }
}

/** What decides whether a new template is rolled out, as covered readings. */
export function rolloutReadings({ ref, workload: { spec } }: Found): Reading[] {
  if (ref.kind === 'Deployment') return [reading(ref, '/spec/paused', spec.paused)]
  const { type, rollingUpdate } = spec.updateStrategy
  const strategy = '/spec/updateStrategy'
  return [
    reading(ref, `${strategy}/type`, type),
    reading(ref, `${strategy}/rollingUpdate/partition`, rollingUpdate.partition),
  ]
}
