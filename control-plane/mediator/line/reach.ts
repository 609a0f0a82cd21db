import type { Plan, PlannedWrite, WriteObject } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'

/** What the plan writes, as far as there is a plan by now. */
function plannedWrites({ rehearsed, planned }: IntentRecord): readonly PlannedWrite[] {
  return (rehearsed ?? planned)?.plan.writes ?? []
}

/** An object by its name: the target, or what a write is about. */
export type Named = Pick<WriteObject, 'kind' | 'namespace' | 'name'>

/** The target, and every object that is written, as far as they are known by now. */
export function objectsOf(record: IntentRecord): readonly Named[] {
  const { target } = record.authenticated.claims
  return [target, ...plannedWrites(record).map(({ object }) => object)]
}

/** The target's namespace first, then each other one that is written in; '' is none. */
export function namespacesOf(record: IntentRecord): readonly string[] {
  return [...new Set(objectsOf(record).map(({ namespace = '' }) => namespace))]
}

/** The same of a plan. */
export function namespacesIn({ target, writes }: Pick<Plan, 'target' | 'writes'>) {
  const objects = [target, ...writes.map(({ object }) => object)]
  return [...new Set(objects.map(({ namespace = '' }) => namespace))]
}
