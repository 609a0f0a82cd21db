import { labelSelector, selects } from '@jackstay/contract/label-selector'
import { isRecord } from '@jackstay/kube/resources'
import type { StoredObject } from '../objects.ts'
import { numberAt, textAt } from '../resources/columns.ts'
import { readObject } from './body.ts'
import type { Answer, Call } from './call.ts'
import { removed } from './remove.ts'
import { created, refusal } from './status.ts'
import { admitted, existing, type Writing } from './write.ts'

const budgets = 'poddisruptionbudgets.policy'

/** Deletes a Pod where no disruption budget is against it. @throws ApiError 429 where one is */
export async function evict(call: Call, writing: Writing): Promise<Answer> {
  const eviction = await readObject(call.request)
  const pod = existing(call, writing.store)
  const { gates, store } = writing
  gates.validate(admitted(call, 'CREATE', eviction, undefined, { kind: 'CreateOptions' }))
  const given = isRecord(eviction.deleteOptions) ? eviction.deleteOptions : {}
  const dryRun = call.dryRun || (Array.isArray(given.dryRun) && given.dryRun.includes('All'))
  const concerned = counts(pod) ? budgetsOf(pod, store.list(budgets, call.info.namespace)) : []
  const [budget] = concerned
  if (concerned.length > 1) {
    throw refusal(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  }
  if (budget !== undefined) spend(budget, dryRun, writing)
  const preconditions = isRecord(given.preconditions) ? given.preconditions : {}
  const seconds = given.gracePeriodSeconds
  removed(
    { ...call, dryRun },
    pod,
    {
      kind: 'DeleteOptions',
      preconditions,
      ...(typeof seconds === 'number' && { gracePeriodSeconds: seconds }),
    },
    writing,
  )
  return { code: 201, body: created }
}

/** What has ended, or is on no node, disrupts nobody by going. */
function counts(pod: StoredObject): boolean {
  const phase = textAt(pod, 'status.phase')
  return (
    phase !== 'Succeeded' &&
    phase !== 'Failed' &&
    phase !== 'Pending' &&
    pod.metadata.deletionTimestamp === undefined
  )
}

function budgetsOf(pod: StoredObject, all: readonly StoredObject[]): readonly StoredObject[] {
  return all.filter(({ spec }) => {
    const selector = isRecord(spec) ? labelSelector.safeParse(spec.selector).data : undefined
    return selector !== undefined && selects(selector, pod.metadata.labels ?? {})
  })
}

/** @throws ApiError 429 when the budget has nothing left */
function spend(budget: StoredObject, dryRun: boolean, { store }: Writing): void {
  const allowed = numberAt(budget, 'status.disruptionsAllowed')
  const { name, namespace = '' } = budget.metadata
  const isSeen = numberAt(budget, 'status.observedGeneration') >= (budget.metadata.generation ?? 1)
  if (allowed <= 0 || !isSeen) {
    const current = numberAt(budget, 'status.currentHealthy')
    const desired = numberAt(budget, 'status.desiredHealthy')
    const message = "Cannot evict pod as it would violate the pod's disruption budget."
    const cause = isSeen
      ? `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`
      : `The disruption budget ${name} is still being processed by the server.`
    throw refusal(429, 'TooManyRequests', message, {
      causes: [{ reason: 'DisruptionBudget', message: cause }],
    })
  }
  if (dryRun) return
  const status = {
    ...(isRecord(budget.status) ? budget.status : {}),
    disruptionsAllowed: allowed - 1,
  }
  store.put({ collection: budgets, namespace, name }, { ...budget, status })
}
