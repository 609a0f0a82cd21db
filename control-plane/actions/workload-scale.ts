import type { Json } from '@jackstay/contract/json'
import type { ObjectRef, PlannedWrite, Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import { defineAction, nameOf, type Observed, type Refusal, type TargetKind } from './action.ts'
import { gitOwner, gitReadings } from './git-ownership.ts'

const deployment: TargetKind = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  resource: 'deployments',
}
const autoscaler: TargetKind = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
}

const params = z.strictObject({
  replicas: z.int().min(0).max(1000).describe('the number of replicas the workload shall have'),
})

/** What the action relies on in a Deployment; everything else in it is none of its business. */
const workload = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    generation: z.number(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    managedFields: z.array(z.object({ manager: z.string().optional() })).default([]),
  }),
  spec: z.object({ replicas: z.int().default(1), paused: z.boolean().default(false) }),
  status: z
    .object({
      observedGeneration: z.int().default(0),
      replicas: z.int().default(0),
      readyReplicas: z.int().default(0),
      availableReplicas: z.int().default(0),
      updatedReplicas: z.int().default(0),
    })
    .prefault({}),
})
type Workload = z.infer<typeof workload>

const scaler = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ scaleTargetRef: z.object({ kind: z.string(), name: z.string() }) }),
})

interface Facts {
  readonly workload: Workload
  /** Names of the autoscalers that own the replicas. */
  readonly autoscalers: readonly string[]
}

const replicasPath = '/spec/replicas'

function replicas(of: string, count: number): Reading {
  return { of, path: replicasPath, value: { is: count } }
}

function owned({ workload: w, autoscalers }: Facts): Refusal | undefined {
  const [hpa] = autoscalers
  if (hpa !== undefined) {
    return {
      refused: 'hpa_owns_replicas',
      message: `the HorizontalPodAutoscaler \`${hpa}\` owns the replicas; change its bounds instead`,
    }
  }
  const owner = gitOwner(w.metadata)
  if (owner !== undefined) {
    return { refused: 'gitops_owned', message: `${owner} owns the Deployment; change it in Git` }
  }
  return undefined
}

/** Sets the number of replicas of a Deployment, by its own `spec.replicas`. */
export const workloadScale = defineAction<z.infer<typeof params>, Facts>({
  name: 'workload.scale',
  description:
    'Sets the number of replicas of a Deployment. Refused where an autoscaler or a Git repository owns it. Undone by setting the previous number.',
  params,
  targets: [deployment],
  writes: [
    {
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      verb: 'patch',
      mayChange: ['spec.replicas'],
    },
  ],
  reads: [
    { group: 'apps', resource: 'deployments' },
    { group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  ],
  verifySeconds: 120,

  async gather(target, read) {
    const [object, scalers] = await Promise.all([
      read.get(deployment, target.namespace, target.name),
      read.list(autoscaler, target.namespace),
    ])
    if (object === undefined) {
      return {
        refused: 'target_not_found',
        message: `there is no Deployment \`${target.namespace}/${target.name}\``,
      }
    }
    const found = workload.parse(object)
    if (target.uid !== undefined && target.uid !== found.metadata.uid) {
      return {
        refused: 'target_not_found',
        message: `the Deployment \`${target.name}\` was replaced: uid \`${found.metadata.uid}\` is not \`${target.uid}\``,
      }
    }
    const autoscalers = scalers
      .map((s) => scaler.parse(s))
      .filter((s) => {
        const { kind, name } = s.spec.scaleTargetRef
        return kind === 'Deployment' && name === target.name
      })
      .map((s) => s.metadata.name)
      .sort()
    return { workload: found, autoscalers }
  },

  plan({ replicas: wanted }, facts) {
    const refusal = owned(facts)
    if (refusal) return refusal
    const { metadata, spec, status } = facts.workload
    if (metadata.deletionTimestamp !== undefined) {
      return { refused: 'target_not_found', message: `\`${metadata.name}\` is being deleted` }
    }
    if (spec.replicas === wanted) {
      return {
        refused: 'no_change',
        message: `\`${metadata.name}\` already has ${wanted} replicas`,
      }
    }
    const target: ObjectRef = {
      ...deployment,
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
    }
    const of = nameOf(target)
    return {
      summary: `scale Deployment ${metadata.namespace}/${metadata.name} from ${spec.replicas} to ${wanted} replicas`,
      target,
      reads: [
        { of, path: '/metadata/deletionTimestamp', value: 'absent' },
        { of, path: '/spec/paused', value: { is: spec.paused } },
        ...gitReadings(of, metadata),
        {
          of: `HorizontalPodAutoscaler ${metadata.namespace}/* of Deployment ${metadata.name}`,
          path: '/spec/scaleTargetRef',
          value: 'absent',
        },
      ],
      writes: [
        {
          id: 'w1',
          verb: 'patch',
          object: target,
          body: { spec: { replicas: wanted } },
          before: [replicas(of, spec.replicas)],
          after: [replicas(of, wanted)],
          inverse: { body: { spec: { replicas: spec.replicas } } },
        },
      ],
      blastRadius: {
        objects: 1,
        pods: Math.abs(wanted - spec.replicas),
        readyReplicasLost: Math.max(0, status.readyReplicas - wanted),
        namespaces: [metadata.namespace],
      },
      reversibility: 'inverse',
      observed: { replicas: status.replicas, readyReplicas: status.readyReplicas },
    }
  },

  progress(plan, object) {
    const [write] = plan.writes
    if (object === undefined || write === undefined) {
      return { state: 'broken', message: 'the Deployment is gone' }
    }
    const { metadata, spec, status } = workload.parse(object)
    if (metadata.uid !== plan.target.uid) {
      return { state: 'broken', message: 'the Deployment was replaced by another of the same name' }
    }
    const [after] = write.after
    if (after === undefined || after.value === 'absent' || after.value.is !== spec.replicas) {
      return { state: 'broken', message: `somebody set the replicas to ${spec.replicas} meanwhile` }
    }
    const seen = status.observedGeneration >= metadata.generation
    const message = `${status.availableReplicas} of ${spec.replicas} replicas available`
    const settled =
      seen && status.replicas === spec.replicas && status.availableReplicas === spec.replicas
    return { state: settled ? 'holds' : 'pending', message }
  },

  fieldsOf(write: PlannedWrite, object: Observed): readonly Reading[] {
    const { spec } = workload.parse(object)
    const value: Json = spec.replicas
    return [{ of: nameOf(write.object), path: replicasPath, value: { is: value } }]
  },
})
