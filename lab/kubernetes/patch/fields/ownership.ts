import type { Shape } from '../shapes/shape.ts'
import { type Comparison, compare } from './compare.ts'
import { fieldElement } from './element.ts'
import {
  difference,
  type FieldSet,
  intersection,
  isEmpty,
  outside,
  setOf,
  union,
} from './field-set.ts'
import { type Managers, withManager } from './owners.ts'

/** A write, as far as it is about who owns what. */
export interface FieldsWrite {
  readonly manager: string
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  readonly shape: Shape
  /** What this door does not reach, see `reset-fields.ts`. */
  readonly reset: FieldSet
  /** Whole seconds, such as `2026-01-02T03:04:05Z`. */
  readonly time: string
}

/** What nobody owns: it is the API server's. */
const unowned = setOf(
  [
    ...[['apiVersion'], ['kind'], ['metadata']],
    ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName'].map((field) => [
      'metadata',
      field,
    ]),
    ...['generation', 'managedFields', 'resourceVersion'].map((field) => ['metadata', field]),
  ].map((path) => path.map(fieldElement)),
)

export function ownable(fields: FieldSet): FieldSet {
  return difference(fields, unowned)
}

/** What a write changes of that which others own, as identity and fields. */
export type Takings = ReadonlyMap<string, FieldSet>

interface Settled {
  readonly managers: Managers
  readonly comparison: Comparison
  readonly takings: Takings
}

/** Takes from everybody but `self` what the write changes or removes. */
export function settle(
  before: unknown,
  after: unknown,
  managers: Managers,
  self: string,
  { shape, reset }: Pick<FieldsWrite, 'shape' | 'reset'>,
): Settled {
  const comparison = compare(before, after, shape)
  const set = outside(union(comparison.added, comparison.modified), reset)
  const removed = outside(comparison.removed, reset)
  const takings = new Map<string, FieldSet>()
  let left = managers
  for (const [identity, manager] of managers) {
    if (identity === self) continue
    const taken = intersection(manager.fields, set)
    if (!isEmpty(taken)) takings.set(identity, taken)
    const fields = difference(manager.fields, union(taken, removed))
    left = withManager(left, { ...manager, fields })
  }
  return { managers: left, comparison, takings }
}
