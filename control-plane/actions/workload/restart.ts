import { z } from 'zod'
import { type ActionPlan, defineAction, isRefusal } from '../action.ts'
import { fieldWrite } from '../field-write.ts'
import { metadataReadings, patchOf, placeOf } from '../target.ts'
import { imageFacts, imageNotes, type RunningImage, runningImages } from './images.ts'
import {
  daemonSet,
  deployment,
  type Found,
  findWorkload,
  statefulSet,
  workloadReads,
} from './observed.ts'
import { rolloutProgress, rolloutReach, rolloutSuccess } from './rollout.ts'
import { rolloutReadings, rollsNothing } from './rolls.ts'

const key = 'kubectl.kubernetes.io/restartedAt'
const path = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt'
const targets = [deployment, statefulSet, daemonSet]

const params = z.strictObject({})

interface Facts {
  readonly found: Found
  readonly images: readonly RunningImage[]
}

function plan({ found, images }: Facts, signedAt: number): ActionPlan {
  const { ref, workload: w } = found
  const after = new Date(signedAt * 1000).toISOString().replace('.000Z', 'Z')
  const before = w.spec.template.metadata.annotations[key]
  const reach = rolloutReach(found)
  return {
    summary: `restart ${ref.kind} ${placeOf(ref)}; ${reach.inWords}`,
    target: ref,
    reads: [...metadataReadings(ref, w.metadata), ...rolloutReadings(found)],
    writes: [fieldWrite(ref, [{ path, before, after }])],
    ...reach.plan,
    observed: { ...reach.plan.observed, images: imageFacts(images) },
    notes: imageNotes(images),
  }
}

/** Restarts every Pod of a workload by a new annotation on its template, as kubectl does. */
export const workloadRestart = defineAction<z.infer<typeof params>, Facts>({
  name: 'workload.restart',
  description:
    'Restarts the Pods of a Deployment, StatefulSet or DaemonSet, a few at a time as its update strategy says. Refused where a Git repository owns it, or where it is paused.',
  cannotRestore:
    'What the restarted Pods held in memory and on their own disks. An image that is named by a tag may be another one when Pods start again.',
  params,
  targets,
  writes: targets.map((kind) => ({
    ...patchOf(kind, [`spec.template.metadata.annotations[${key}]`]),
    times: [key],
  })),
  reads: [...workloadReads, { group: '', resource: 'pods' }],
  verifySeconds: 300,

  async gather(target, read) {
    const found = await findWorkload(target, targets, read)
    if (isRefusal(found)) return found
    return { found, images: await runningImages(found.workload, read) }
  },
  plan: (_, facts, { signedAt }) => rollsNothing(facts.found) ?? plan(facts, signedAt),
  progress: rolloutProgress,
  success: rolloutSuccess,
})
