import { labelSelector, selects } from '@jackstay/contract/label-selector'
import type { Stamps } from '../clock.ts'
import type { KubeObject } from '../objects.ts'
import { at, conditionOf, numberAt, textAt } from '../resources/columns.ts'
import { type Caches, type Controller, keyOf, placeIn } from './controller.ts'
import { isActive, isReady } from './pods.ts'
import { resolved } from './rollout.ts'
import { statusWritten } from './status.ts'

const budgets = {
  ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  resource: 'poddisruptionbudgets',
}
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const sets = { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' }
const statefulSets = { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' }
type Watched = 'budgets' | 'pods' | 'sets' | 'statefulSets'

/** Says of each disruption budget how many of its Pods may go now. */
export const disruptionController: Controller<Watched> = {
  name: 'disruption-controller',
  eventSource: 'controllermanager',
  watches: {
    budgets: { type: budgets, keys: (budget) => [keyOf(budget)] },
    pods: { type: pods, keys: ({ metadata }) => [`${metadata.namespace ?? ''}/`] },
    sets: { type: sets, keys: ({ metadata }) => [`${metadata.namespace ?? ''}/`] },
    statefulSets: {
      type: statefulSets,
      keys: ({ metadata }) => [`${metadata.namespace ?? ''}/`],
    },
  },
  async reconcile(key, { client, caches, clock, record, signal }) {
    const { namespace, name } = placeIn(key)
    const all = [...caches.budgets.values()].filter(
      ({ metadata }) => metadata.namespace === namespace && (name === '' || metadata.name === name),
    )
    for (const budget of all) {
      const status = statusOf(budget, caches, clock.of(budget))
      if (status.expectedPods === 0 && conditionOf(budget, 'DisruptionAllowed') === undefined) {
        record(budget, { type: 'Normal', reason: 'NoPods', message: 'No matching pods found' })
      }
      await statusWritten({ client, signal }, budgets, budget, status)
    }
    return undefined
  },
}

function statusOf(budget: KubeObject, caches: Caches<Watched>, clock: Stamps) {
  const { namespace } = budget.metadata
  const selector = labelSelector.safeParse(at(budget, 'spec.selector')).data
  const own = [...caches.pods.values()].filter(
    (pod) =>
      pod.metadata.namespace === namespace &&
      selector !== undefined &&
      selects(selector, pod.metadata.labels ?? {}) &&
      isActive(pod),
  )
  const expected = expectedPods(own, caches)
  const currentHealthy = own.filter(isReady).length
  const desiredHealthy = desired(budget, expected)
  const disruptionsAllowed = Math.max(0, currentHealthy - desiredHealthy)
  return {
    ...{ currentHealthy, desiredHealthy, disruptionsAllowed, expectedPods: expected },
    observedGeneration: budget.metadata.generation ?? 1,
    conditions: [allowed(budget, disruptionsAllowed > 0, clock)],
  }
}

function allowed(budget: KubeObject, holds: boolean, clock: Stamps) {
  const known = conditionOf(budget, 'DisruptionAllowed')
  const status = holds ? 'True' : 'False'
  const since = textAt(known, 'status') === status ? textAt(known, 'lastTransitionTime') : ''
  return {
    ...{ type: 'DisruptionAllowed', status, message: '' },
    reason: holds ? 'SufficientPods' : 'InsufficientPods',
    observedGeneration: budget.metadata.generation ?? 1,
    lastTransitionTime: since || clock.stamp('DisruptionAllowed'),
  }
}

/** As many as those want that the Pods belong to; what belongs to nobody counts by itself. */
function expectedPods(own: readonly KubeObject[], caches: Caches<Watched>): number {
  const owners = new Set(
    own.flatMap(({ metadata }) =>
      (metadata.ownerReferences ?? []).filter(({ controller }) => controller).map(({ uid }) => uid),
    ),
  )
  const wanted = [...caches.sets.values(), ...caches.statefulSets.values()]
    .filter(({ metadata }) => owners.has(metadata.uid ?? ''))
    .map((set) => numberAt(set, 'spec.replicas', 1))
  return wanted.length === 0 ? own.length : wanted.reduce((sum, replicas) => sum + replicas, 0)
}

function desired(budget: KubeObject, expected: number): number {
  const least = at(budget, 'spec.minAvailable')
  if (least !== undefined) return amount(least, expected)
  const most = at(budget, 'spec.maxUnavailable')
  return most === undefined ? expected : Math.max(0, expected - amount(most, expected))
}

/** Shares are rounded up, as the disruption controller does. */
function amount(value: unknown, all: number): number {
  return resolved(typeof value === 'number' ? value : String(value), all, Math.ceil)
}
