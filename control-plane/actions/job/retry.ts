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
import { jobDisruption, jobSpec } from './disruption.ts'
import { unfit } from './made-field.ts'
import { keptSeconds, madeJob, servesNothing } from './made-job.ts'

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

const mapOf = (value: Json | undefined): JsonMap => (isMap(value) ? value : {})

/**
 * The spec of a Job as somebody wrote it: without selector and labels of the first one's Pods, and with
 * what keeps a made Job harmless.
 */
function specOf({ spec }: Job): JsonMap {
  const template = mapOf(spec.template)
  const metadata = without(mapOf(template.metadata), ['creationTimestamp'])
  const ttl = spec.ttlSecondsAfterFinished
  return {
    ...without(spec, ['selector', 'manualSelector', 'suspend']),
    ...(typeof ttl === 'number' && { ttlSecondsAfterFinished: Math.max(ttl, keptSeconds) }),
    template: {
      ...template,
      metadata: { ...metadata, labels: without(mapOf(metadata.labels), own) },
      spec: {
        ...mapOf(template.spec),
        automountServiceAccountToken: false,
        readinessGates: [{ conditionType: servesNothing }],
      },
    },
  }
}

/** How many Pods it takes to complete. */
function podsOf({ completions, parallelism }: JsonMap): number {
  return Number(completions ?? parallelism ?? 1)
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
    'Makes a new Job with the spec of a failed one, which stays as it is. Undone by suspending the new Job, which ends its Pods. The new Pods get no token of a ServiceAccount and take no traffic of Services. Jobs that use secrets, claims, the host, privileges, init containers or a ServiceAccount of their own are refused.',
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
    const spec = specOf(found)
    const strange = unfit(spec, madeJob.spec, 'spec')
    if (strange !== undefined) {
      const message = `the Job \`${name}\` has \`${strange}\`, which no Job that executors make may have as it is; make it by hand`
      return { refused: 'unsuitable_target', message }
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
            spec,
          },
          inverse: { body: { spec: { suspend: true } } },
        },
      ],
      blastRadius: {
        objects: 1,
        pods: podsOf(spec),
        readyReplicasLost: 0,
        namespaces: [namespace],
      },
      disrupts: [jobDisruption(ref, found.metadata.labels, jobSpec.parse(spec))],
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
