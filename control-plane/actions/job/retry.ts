import { madeLabels, retriesStem } from '@jackstay/contract/executor'
import { isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { ObjectRef } from '@jackstay/contract/plan'
import { z } from 'zod'
import {
  defineAction,
  isRefusal,
  type Observed,
  type TargetKind,
  type WriteRight,
} from '../action.ts'
import { findTarget, metadata, metadataReadings, ownedByGit, placeOf } from '../target.ts'

const jobKind: TargetKind = { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' }
const jobs = { group: 'batch', version: 'v1', resource: 'jobs' }
const rights: readonly WriteRight[] = [
  { ...jobs, verb: 'create' },
  {
    ...{ ...jobs, verb: 'patch', mayChange: ['spec.suspend'] },
    takesBack: { becomes: { suspend: true } },
  },
]

const params = z.strictObject({})
const json = z.custom<Json>((value) => value !== undefined)

const job = z.object({
  metadata,
  spec: z.record(z.string(), json),
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
        .default([]),
    })
    .prefault({}),
})
type Job = z.infer<typeof job>

function condition({ status }: Job, type: string) {
  return status.conditions.find((c) => c.type === type && c.status === 'True')
}

/** Labels that the job controller makes from uid and name; a new Job gets its own. */
const own = [
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
]

function without(tree: JsonMap, keys: readonly string[]): JsonMap {
  return Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)))
}

/** The spec of a Job as somebody wrote it: without selector and labels of the first one's Pods. */
function specOf({ spec }: Job): JsonMap {
  const kept = without(spec, ['selector', 'manualSelector', 'suspend'])
  const { template } = kept
  if (!isMap(template) || !isMap(template.metadata)) return kept
  const { labels } = template.metadata
  const metadata = { ...template.metadata, labels: isMap(labels) ? without(labels, own) : {} }
  return { ...kept, template: { ...template, metadata } }
}

/**
 * `report` → `report-retry-5f2a9c`: told by the request, so every planning names the same, and a second
 * making of it is refused. Admission holds the name to what the label says that it repeats.
 */
function nameFor(retries: string, signedAt: number): string {
  return `${retriesStem(retries)}-retry-${signedAt.toString(36)}`
}

function progressOf(object: Observed | undefined) {
  if (object === undefined) return { state: 'broken', message: 'the new Job is gone' } as const
  const made = job.parse(object)
  const failed = condition(made, 'Failed')
  if (failed !== undefined) {
    return { state: 'broken', message: `the new Job failed: ${failed.message}` } as const
  }
  return condition(made, 'Complete') === undefined
    ? ({ state: 'pending', message: 'the new Job is not done yet' } as const)
    : ({ state: 'holds', message: 'the new Job completed' } as const)
}

interface Facts {
  readonly ref: ObjectRef
  readonly found: Job
}

/** Runs a failed Job again, as a new Job. */
export const jobRetry = defineAction<z.infer<typeof params>, Facts>({
  name: 'job.retry',
  description:
    'Makes a new Job with the spec of a failed one, which stays as it is. Undone by suspending the new Job, which ends its Pods. Jobs that use secrets, host paths, privileges or a ServiceAccount of their own are refused by admission.',
  cannotRestore:
    'Whatever the new Job did before it was taken back. Its object stays, suspended: `kubectl delete job NAME`.',
  success: 'The new Job completed.',
  params,
  targets: [jobKind],
  writes: rights,
  reads: [{ group: 'batch', resource: 'jobs' }],
  verifySeconds: 600,

  async gather(target, read) {
    const there = await findTarget(target, [jobKind], read)
    if (isRefusal(there)) return there
    const found = job.parse(there.object)
    return ownedByGit(there.ref, found.metadata) ?? { ref: there.ref, found }
  },

  plan(_, { ref, found }, { intent, signedAt }) {
    const { namespace, name } = found.metadata
    const failed = condition(found, 'Failed')
    if (failed === undefined) {
      return { refused: 'unsuitable_target', message: `the Job \`${name}\` has not failed` }
    }
    const next = nameFor(name, signedAt)
    const labels = {
      [governedLabel]: 'true',
      [madeLabels.intent]: intent,
      [madeLabels.retries]: name,
    }
    return {
      summary: `retry Job ${placeOf(ref)} as ${next}`,
      target: ref,
      reads: metadataReadings(ref, found.metadata),
      writes: [
        {
          ...{ id: 'w1', verb: 'create', object: { ...jobKind, namespace, name: next } },
          body: {
            ...{ apiVersion: jobKind.apiVersion, kind: jobKind.kind },
            metadata: { namespace, name: next, labels },
            spec: specOf(found),
          },
          inverse: { body: { spec: { suspend: true } } },
        },
      ],
      blastRadius: { objects: 1, pods: 1, readyReplicasLost: 0, namespaces: [namespace] },
      reversibility: 'inverse',
      observed: { failed: failed.message },
    }
  },

  progress: (_, object) => progressOf(object),

  async watch(plan, read) {
    const [write] = plan.writes
    if (write === undefined) throw new TypeError('a plan without a write')
    const { namespace = '', name } = write.object
    return progressOf(await read.get(jobKind, namespace, name))
  },
})
