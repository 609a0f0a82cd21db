import type { Plan, WriteObject } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'

/** An object by its name: the target, or what a write is about. */
export type Named = Pick<WriteObject, 'kind' | 'namespace' | 'name'>

/** The target, and every object that is written, as far as they are known by now. */
export function objectsOf({ authenticated, planned, rehearsed }: IntentRecord): readonly Named[] {
  const plan = (rehearsed ?? planned)?.plan
  return [authenticated.claims.target, ...writtenBy(plan?.writes ?? [])]
}

/** The target's namespace first, then each other one that is written in; '' is none. */
export function namespacesOf(record: IntentRecord): readonly string[] {
  return placesOf(objectsOf(record))
}

/** The same of a plan. */
export function namespacesIn({ target, writes }: Pick<Plan, 'target' | 'writes'>) {
  return placesOf([target, ...writtenBy(writes)])
}

function writtenBy(writes: Plan['writes']): readonly Named[] {
  return writes.map(({ object }) => object)
}

function placesOf(objects: readonly Named[]): readonly string[] {
  return [...new Set(objects.map(({ namespace = '' }) => namespace))]
}
