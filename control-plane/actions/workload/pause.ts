import type { Plan } from '@jackstay/contract/plan'
import { z } from 'zod'
import { defineAction, isRefusal, type Observed, overtaken, type Progress } from '../action.ts'
import { fieldWrite } from '../field-write.ts'
import { metadataReadings, patchOf, placeOf } from '../target.ts'
import { countsOf } from './counts.ts'
import { disruptionOf } from './disruption.ts'
import { deployment, type Found, findWorkload, workload } from './observed.ts'
import { rolloutFacts, rolloutProgress, rolloutReach, rolloutSuccess } from './rollout.ts'

const params = z.strictObject({})
const path = '/spec/paused'

interface Words {
  readonly name: string
  readonly description: string
  readonly cannotRestore: string
  readonly success: string
  progress(plan: Plan, target: Observed | undefined): Progress
}

/** Pods that are not of the newest template yet: a resumed rollout replaces them. */
function behind({ ref, workload: w }: Found): number {
  const { wanted, updated } = countsOf(ref.kind, w)
  return Math.max(0, wanted - updated)
}

function setPaused(after: boolean, { progress, ...words }: Words) {
  return defineAction<z.infer<typeof params>, Found>({
    ...{ ...words, params, targets: [deployment], progress },
    writes: [patchOf(deployment, ['spec.paused'])],
    reads: [{ group: 'apps', resource: 'deployments' }],
    verifySeconds: after ? 60 : 300,

    async gather(target, read) {
      const found = await findWorkload(target, [deployment], read)
      if (isRefusal(found) || found.workload.spec.paused !== after) return found
      const state = after ? 'paused' : 'not paused'
      return { refused: 'no_change', message: `\`${placeOf(found.ref)}\` is already ${state}` }
    },
    plan: (_, found) => {
      const { ref, workload: w } = found
      const reach = rolloutReach(found).plan
      const pods = after ? 0 : behind(found)
      const readyReplicasLost = Math.min(pods, reach.blastRadius.readyReplicasLost)
      return {
        summary: after
          ? `pause the rollouts of Deployment ${placeOf(ref)}`
          : `resume the rollouts of Deployment ${placeOf(ref)}; ${pods} Pods are of an older template`,
        target: ref,
        reads: metadataReadings(ref, w.metadata),
        writes: [fieldWrite(ref, [{ path, before: w.spec.paused, after }])],
        ...reach,
        blastRadius: { ...reach.blastRadius, pods, readyReplicasLost },
        disrupts: after ? [disruptionOf(found, { lost: 0 })] : reach.disrupts,
        observed: rolloutFacts(found),
      }
    },
  })
}

/** Stops a Deployment from rolling out what changes in its template. */
export const workloadPause = setPaused(true, {
  name: 'workload.pause',
  description:
    'Pauses the rollouts of a Deployment: the Pods stay as they are, whatever changes in its template. Undone by resuming them.',
  cannotRestore: 'Nothing is lost; changes of the template wait meanwhile.',
  success: 'the controller has seen the change',
  progress(plan, object) {
    const foreign = overtaken(plan, object)
    if (foreign !== undefined || object === undefined) {
      return { state: 'broken', message: foreign ?? 'the Deployment is gone' }
    }
    const { metadata, status } = workload.parse(object)
    return status.observedGeneration >= metadata.generation
      ? { state: 'holds', message: 'the rollouts are paused' }
      : { state: 'pending', message: 'the controller has not seen the change yet' }
  },
})

/** Lets a Deployment roll out what changed in its template. */
export const workloadResume = setPaused(false, {
  name: 'workload.resume',
  description:
    'Resumes the rollouts of a Deployment: what changed in its template meanwhile is rolled out. Undone by pausing them again, where they stand.',
  cannotRestore: 'Pods that were replaced before it was paused again.',
  success: rolloutSuccess,
  progress: rolloutProgress,
})
