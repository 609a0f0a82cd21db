import type { Json } from '@jackstay/contract/json'
import { labelSelector } from '@jackstay/contract/label-selector'
import type { ObjectRef } from '@jackstay/contract/plan'
import { z } from 'zod'
import {
  type FactReader,
  type GivenTarget,
  isRefusal,
  type Observed,
  type Refusal,
  type TargetKind,
} from '../action.ts'
import { findTarget, metadata, ownedByGit } from '../target.ts'

const apps = 'apps/v1'
export const deployment = { apiVersion: apps, kind: 'Deployment', resource: 'deployments' }
export const statefulSet = { apiVersion: apps, kind: 'StatefulSet', resource: 'statefulsets' }
export const daemonSet = { apiVersion: apps, kind: 'DaemonSet', resource: 'daemonsets' }

const json = z.custom<Json>((value) => value !== undefined)

const container = z.looseObject({ name: z.string(), image: z.string().default('') })
const count = z.int().default(0)

/** What the actions rely on in a workload; everything else in it is none of their business. */
export const workload = z.object({
  metadata,
  spec: z.object({
    replicas: z.int().default(1),
    paused: z.boolean().default(false),
    selector: labelSelector.prefault({}),
    template: z
      .object({
        metadata: z
          .object({
            labels: z.record(z.string(), z.string()).default({}),
            annotations: z.record(z.string(), z.string()).default({}),
          })
          .prefault({}),
        spec: z
          .looseObject({
            containers: z.array(container).default([]),
            initContainers: z.array(container).default([]),
            priorityClassName: z.string().default(''),
          })
          .prefault({}),
      })
      .prefault({}),
    // of Deployments
    strategy: z
      .object({
        type: z.string().default('RollingUpdate'),
        rollingUpdate: z
          .object({ maxUnavailable: json.optional(), maxSurge: json.optional() })
          .prefault({}),
      })
      .prefault({}),
    // of StatefulSets and DaemonSets
    updateStrategy: z
      .object({
        type: z.string().default('RollingUpdate'),
        rollingUpdate: z
          .object({
            partition: z.int().default(0),
            maxUnavailable: json.optional(),
            maxSurge: json.optional(),
          })
          .prefault({}),
      })
      .prefault({}),
    persistentVolumeClaimRetentionPolicy: z
      .object({ whenScaled: z.string().default('Retain') })
      .prefault({}),
    volumeClaimTemplates: z.array(json).default([]),
  }),
  status: z
    .object({
      observedGeneration: count,
      replicas: count,
      readyReplicas: count,
      availableReplicas: count,
      updatedReplicas: count,
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberReady: count,
      numberAvailable: count,
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().default(''),
            message: z.string().default(''),
            lastUpdateTime: z.string().nullish(),
          }),
        )
        .default([]),
    })
    .prefault({}),
})
export type Workload = z.infer<typeof workload>

/** The target as a workload, and as it came. */
export interface Found {
  readonly workload: Workload
  readonly object: Observed
  readonly ref: ObjectRef
}

/** The same for a workload; refused, too, where Git owns it. */
export async function findWorkload(
  target: GivenTarget,
  kinds: readonly TargetKind[],
  read: FactReader,
): Promise<Found | Refusal> {
  const found = await findTarget(target, kinds, read)
  if (isRefusal(found)) return found
  const parsed = workload.parse(found.object)
  return ownedByGit(found.ref, parsed.metadata) ?? { ...found, workload: parsed }
}

/** What plans over workloads read. */
export const workloadReads = ['deployments', 'statefulsets', 'daemonsets'].map((resource) => ({
  group: 'apps',
  resource,
}))
