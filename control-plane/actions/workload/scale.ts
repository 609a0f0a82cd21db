import type { Plan, Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import {
  type ActionPlan,
  defineAction,
  isRefusal,
  nameOf,
  overtaken,
  type Refusal,
} from '../action.ts'
import { autoscaler, scalersOf } from '../autoscaler/observed.ts'
import { metadataReadings, patchOf, placeOf } from '../target.ts'
import { countsOf } from './counts.ts'
import { disruptionOf, scaleGrowth } from './disruption.ts'
import { deployment, type Found, findWorkload, statefulSet, workload } from './observed.ts'

const targets = [deployment, statefulSet]

const params = z.strictObject({
  replicas: z.int().min(0).max(1000).describe('the number of replicas the workload shall have'),
})

interface Facts {
  readonly found: Found
  /** Names of the autoscalers that own the replicas. */
  readonly autoscalers: readonly string[]
}

/** Whether fewer replicas take volumes with them. */
function deletesVolumes({ spec }: Found['workload']): boolean {
  const { whenScaled } = spec.persistentVolumeClaimRetentionPolicy
  return whenScaled === 'Delete' && spec.volumeClaimTemplates.length > 0
}

function reads({ ref, workload: w }: Found): Reading[] {
  const of = nameOf(ref)
  const retention = w.spec.persistentVolumeClaimRetentionPolicy.whenScaled
  return [
    ...metadataReadings(ref, w.metadata),
    ...(ref.kind === 'Deployment'
      ? [{ of, path: '/spec/paused', value: { is: w.spec.paused } }]
      : [
          {
            ...{ of, path: '/spec/persistentVolumeClaimRetentionPolicy/whenScaled' },
            value: { is: retention },
          },
        ]),
    {
      of: `HorizontalPodAutoscaler ${w.metadata.namespace}/* of ${ref.kind} ${ref.name}`,
      path: '/spec/scaleTargetRef',
      value: 'absent',
    },
  ]
}

function plan(facts: Facts, wanted: number): ActionPlan {
  const { ref, workload: w } = facts.found
  const old = w.spec.replicas
  const { present, ready } = countsOf(ref.kind, w)
  const of = nameOf(ref)
  const field = (count: number) => [{ of, path: '/spec/replicas', value: { is: count } }]
  const lost = Math.max(0, ready - wanted)
  const volumes = wanted < old && deletesVolumes(w)
  return {
    summary: `scale ${ref.kind} ${placeOf(ref)} from ${old} to ${wanted} replicas${volumes ? ', which deletes their volumes' : ''}`,
    target: ref,
    reads: reads(facts.found),
    writes: [
      {
        ...{ id: 'w1', verb: 'patch', object: ref, body: { spec: { replicas: wanted } } },
        before: field(old),
        after: field(wanted),
        inverse: { body: { spec: { replicas: old } } },
      },
    ],
    blastRadius: {
      objects: 1,
      pods: Math.abs(wanted - old),
      readyReplicasLost: lost,
      namespaces: [w.metadata.namespace],
    },
    disrupts: [
      disruptionOf(facts.found, {
        ...{ lost, replicas: wanted, growth: scaleGrowth(facts.found, wanted) },
      }),
    ],
    reversibility: volumes ? 'irreversible' : 'inverse',
    observed: { replicas: present, readyReplicas: ready },
  }
}

/** Sets the number of replicas of a workload, by its own `spec.replicas`. */
export const workloadScale = defineAction<z.infer<typeof params>, Facts>({
  name: 'workload.scale',
  description:
    'Sets the number of replicas of a Deployment or StatefulSet. Refused where an autoscaler or a Git repository owns it. Undone by setting the previous number.',
  cannotRestore:
    'What Pods that went held in memory and on their own disks; the volumes of a StatefulSet that deletes them with its replicas.',
  params,
  targets,
  writes: targets.map((kind) => patchOf(kind, ['spec.replicas'])),
  reads: [
    { group: 'apps', resource: 'deployments' },
    { group: 'apps', resource: 'statefulsets' },
    { group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  ],
  success: 'the controller has seen the number, and as many replicas are there and available',
  verifySeconds: 120,

  async gather(target, read) {
    const [found, all] = await Promise.all([
      findWorkload(target, targets, read),
      read.list(autoscaler, target.namespace),
    ])
    return isRefusal(found) ? found : { found, autoscalers: scalersOf(found.ref, all) }
  },

  plan({ replicas: wanted }, facts): ActionPlan | Refusal {
    const [hpa] = facts.autoscalers
    const { ref, workload: w } = facts.found
    if (hpa !== undefined) {
      return {
        refused: 'hpa_owns_replicas',
        message: `the HorizontalPodAutoscaler \`${hpa}\` owns the replicas; change its bounds instead`,
      }
    }
    if (w.spec.replicas === wanted) {
      return { refused: 'no_change', message: `\`${ref.name}\` already has ${wanted} replicas` }
    }
    return plan(facts, wanted)
  },

  progress(plan: Plan, object) {
    const foreign = overtaken(plan, object)
    if (foreign !== undefined || object === undefined) {
      return { state: 'broken', message: foreign ?? 'the workload is gone' }
    }
    const w = workload.parse(object)
    const { wanted, present, available } = countsOf(plan.target.kind, w)
    const seen = w.status.observedGeneration >= w.metadata.generation
    const message = `${available} of ${wanted} replicas available`
    const settled = seen && present === wanted && available === wanted
    return { state: settled ? 'holds' : 'pending', message }
  },
})
