import type { Json } from '@jackstay/contract/json'
import type { ObjectRef, Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import {
  type FactReader,
  type GivenTarget,
  isRefusal,
  nameOf,
  type Observed,
  type Refusal,
  type TargetKind,
  type WriteRight,
} from '../action.ts'
import { gitOwner, gitReadings } from '../git-ownership.ts'

const apps = 'apps/v1'
export const deployment = { apiVersion: apps, kind: 'Deployment', resource: 'deployments' }
export const statefulSet = { apiVersion: apps, kind: 'StatefulSet', resource: 'statefulsets' }
export const daemonSet = { apiVersion: apps, kind: 'DaemonSet', resource: 'daemonsets' }

const json = z.custom<Json>((value) => value !== undefined)

/** What every action relies on in the metadata of its target. */
export const metadata = z.object({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  generation: z.number().default(0),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  managedFields: z.array(z.object({ manager: z.string().optional() })).default([]),
})
export type Metadata = z.infer<typeof metadata>

const container = z.looseObject({ name: z.string(), image: z.string().default('') })
const count = z.int().default(0)

/** What the actions rely on in a workload; everything else in it is none of their business. */
export const workload = z.object({
  metadata,
  spec: z.object({
    replicas: z.int().default(1),
    paused: z.boolean().default(false),
    selector: z
      .object({
        matchLabels: z.record(z.string(), z.string()).default({}),
        matchExpressions: z
          .array(
            z.object({
              key: z.string(),
              operator: z.string(),
              values: z.array(z.string()).default([]),
            }),
          )
          .default([]),
      })
      .prefault({}),
    template: z
      .object({
        metadata: z
          .object({ annotations: z.record(z.string(), z.string()).default({}) })
          .prefault({}),
        spec: z
          .looseObject({
            containers: z.array(container).default([]),
            initContainers: z.array(container).default([]),
          })
          .prefault({}),
      })
      .prefault({}),
    // of Deployments
    strategy: z
      .object({
        type: z.string().default('RollingUpdate'),
        rollingUpdate: z.object({ maxUnavailable: json.optional() }).prefault({}),
      })
      .prefault({}),
    // of StatefulSets and DaemonSets
    updateStrategy: z
      .object({
        type: z.string().default('RollingUpdate'),
        rollingUpdate: z
          .object({ partition: z.int().default(0), maxUnavailable: json.optional() })
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
            lastUpdateTime: z.string().default(''),
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

/** Reads the target. Refused where it is gone, was replaced or is going away. */
export async function findTarget(
  target: GivenTarget,
  kinds: readonly TargetKind[],
  read: FactReader,
): Promise<{ readonly object: Observed; readonly ref: ObjectRef } | Refusal> {
  const kind = kinds.find((k) => k.kind === target.kind && k.apiVersion === target.apiVersion)
  if (kind === undefined) throw new TypeError(`the line let a ${target.kind} through`)
  const object = await read.get(kind, target.namespace, target.name)
  if (object === undefined) {
    const message = `there is no ${kind.kind} \`${target.namespace}/${target.name}\``
    return { refused: 'target_not_found', message }
  }
  const { uid, deletionTimestamp } = metadata.parse(object.metadata)
  if (target.uid !== undefined && target.uid !== uid) {
    return {
      refused: 'target_not_found',
      message: `the ${kind.kind} \`${target.name}\` was replaced: uid \`${uid}\` is not \`${target.uid}\``,
    }
  }
  if (deletionTimestamp !== undefined) {
    return { refused: 'target_not_found', message: `\`${target.name}\` is being deleted` }
  }
  return { object, ref: { ...kind, namespace: target.namespace, name: target.name, uid } }
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

export function ownedByGit(ref: ObjectRef, marks: Metadata): Refusal | undefined {
  const owner = gitOwner(marks)
  if (owner === undefined) return undefined
  return { refused: 'gitops_owned', message: `${owner} owns the ${ref.kind}; change it in Git` }
}

/** What every plan depends on in its target's metadata. */
export function metadataReadings(ref: ObjectRef, marks: Metadata): Reading[] {
  const of = nameOf(ref)
  return [{ of, path: '/metadata/deletionTimestamp', value: 'absent' }, ...gitReadings(of, marks)]
}

/** `<namespace>/<name>` */
export function placeOf({ namespace, name }: ObjectRef): string {
  return `${namespace ?? ''}/${name}`
}

/** The right to patch these fields of workloads. */
export function patchOf(kind: TargetKind, mayChange: readonly string[]): WriteRight {
  const [group = '', version = ''] = kind.apiVersion.split('/')
  return { group, version, resource: kind.resource, verb: 'patch', mayChange }
}
