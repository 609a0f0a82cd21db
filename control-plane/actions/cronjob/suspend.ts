import type { ObjectRef } from '@jackstay/contract/plan'
import { z } from 'zod'
import { defineAction, isRefusal, overtaken, type TargetKind } from '../action.ts'
import { fieldWrite, reading } from '../field-write.ts'
import { jobDisruption, jobSpec } from '../job/disruption.ts'
import { findTarget, metadata, metadataReadings, ownedByGit, patchOf, placeOf } from '../target.ts'

const cronJob: TargetKind = { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' }
const params = z.strictObject({})

const observed = z.object({
  metadata,
  spec: z.object({
    suspend: z.boolean().default(false),
    schedule: z.string(),
    jobTemplate: z.object({ spec: jobSpec.prefault({}) }).prefault({}),
  }),
  status: z.object({ active: z.array(z.unknown()).default([]) }).prefault({}),
})

interface Facts {
  readonly ref: ObjectRef
  readonly found: z.infer<typeof observed>
}

interface Words {
  readonly name: string
  readonly description: string
  readonly cannotRestore: string
}

function setSuspend(after: boolean, words: Words) {
  const { name, description, cannotRestore } = words
  return defineAction<z.infer<typeof params>, Facts>({
    ...{ name, description, cannotRestore, params, targets: [cronJob] },
    writes: [patchOf(cronJob, ['spec.suspend'])],
    reads: [{ group: 'batch', resource: 'cronjobs' }],
    success: 'the field stands',
    verifySeconds: 30,

    async gather(target, read) {
      const found = await findTarget(target, [cronJob], read)
      if (isRefusal(found)) return found
      const parsed = observed.parse(found.object)
      if (parsed.spec.suspend === after) {
        const state = after ? 'suspended' : 'not suspended'
        return { refused: 'no_change', message: `\`${placeOf(found.ref)}\` is already ${state}` }
      }
      return ownedByGit(found.ref, parsed.metadata) ?? { ref: found.ref, found: parsed }
    },

    plan(_, { ref, found }) {
      const { spec, status } = found
      const running = status.active.length
      return {
        summary: after
          ? `suspend CronJob ${placeOf(ref)}; its ${running} running Jobs go on`
          : `resume CronJob ${placeOf(ref)}, which runs at "${spec.schedule}"`,
        target: ref,
        reads: [
          ...metadataReadings(ref, found.metadata),
          reading(ref, '/spec/schedule', spec.schedule),
        ],
        writes: [fieldWrite(ref, [{ path: '/spec/suspend', before: spec.suspend, after }])],
        blastRadius: {
          objects: 1,
          // a run that was missed may start at once
          pods: after ? 0 : 1,
          readyReplicasLost: 0,
          namespaces: [found.metadata.namespace],
        },
        disrupts: after ? [] : [jobDisruption(ref, found.metadata.labels, spec.jobTemplate.spec)],
        reversibility: 'inverse',
        observed: { running },
      }
    },

    progress(plan, object) {
      const foreign = overtaken(plan, object)
      return foreign === undefined
        ? { state: 'holds', message: after ? 'no new Jobs start' : 'Jobs start by the schedule' }
        : { state: 'broken', message: foreign }
    },
  })
}

/** Lets a CronJob start no more Jobs. */
export const cronjobSuspend = setSuspend(true, {
  name: 'cronjob.suspend',
  description: 'Suspends a CronJob: no new Jobs start, running ones go on. Undone by resuming it.',
  cannotRestore: 'Runs that were due meanwhile: at most the last one is made up for.',
})

/** Lets a CronJob start Jobs again. */
export const cronjobResume = setSuspend(false, {
  name: 'cronjob.resume',
  description:
    'Resumes a CronJob: Jobs start by its schedule again, and one that was missed may start at once. Undone by suspending it.',
  cannotRestore: 'What Jobs did that started meanwhile.',
})
