import { isRecord } from '@jackstay/kube/resources'
import { at, listAt, textAt } from '../resources/columns.ts'
import { type Controller, keyOf, placeIn } from './controller.ts'
import { isOver } from './job-status.ts'
import { jobs } from './jobs.ts'

/** Lets go of Jobs that are over and were to be kept for so long. */
export const finishedJobsController: Controller<'jobs'> = {
  name: 'ttl-after-finished-controller',
  watches: { jobs: { type: jobs, keys: (job) => [keyOf(job)] } },
  async reconcile(key, { client, caches, clock, signal }) {
    const { namespace, name } = placeIn(key)
    const job = caches.jobs.get(namespace, name)
    const seconds = at(job, 'spec.ttlSecondsAfterFinished')
    if (job === undefined || typeof seconds !== 'number' || !isOver(job)) return undefined
    if (job.metadata.deletionTimestamp !== undefined) return undefined
    const over = listAt(job, 'status.conditions')
      .filter(isRecord)
      .find(({ type }) => type === 'Complete' || type === 'Failed')
    const left = seconds * 1000 - clock.elapsed('', textAt(over, 'lastTransitionTime'))
    if (left > 0) return left
    const { uid = '' } = job.metadata
    const options = { preconditions: { uid }, propagationPolicy: 'Foreground' as const, signal }
    await client.delete({ ...jobs, namespace, name }, options)
    return undefined
  },
}
