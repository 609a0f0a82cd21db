import type { ObjectRef, Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import type { TargetKind, WriteRight } from '../action.ts'
import { reading } from '../field-write.ts'

export const podKind: TargetKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }

export const eviction: WriteRight = {
  ...{ group: '', version: 'v1', resource: 'pods', verb: 'evict' },
}

/** What the actions rely on in a Pod. */
export const pod = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z
      .array(
        z.object({
          apiVersion: z.string().default(''),
          kind: z.string(),
          name: z.string(),
          uid: z.string(),
          controller: z.boolean().default(false),
        }),
      )
      .default([]),
  }),
  spec: z.object({
    nodeName: z.string().default(''),
    /** As admission reckoned it from the PriorityClass. */
    priority: z.int().optional(),
    priorityClassName: z.string().default(''),
    volumes: z
      .array(z.looseObject({ name: z.string(), emptyDir: z.unknown().optional() }))
      .default([]),
  }),
  status: z
    .object({
      phase: z.string().default(''),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .prefault({}),
})
export type Pod = z.infer<typeof pod>

export function controllerOf({ metadata }: Pod) {
  return metadata.ownerReferences.find((owner) => owner.controller)
}

export function isReady({ status }: Pod): boolean {
  return status.conditions.some((c) => c.type === 'Ready' && c.status === 'True')
}

/** Volumes whose content ends with the Pod. */
export function localVolumes({ spec }: Pod): readonly string[] {
  return spec.volumes.filter((v) => v.emptyDir !== undefined).map((v) => v.name)
}

export function podRef({ metadata: { namespace, name, uid } }: Pod): ObjectRef {
  return { ...podKind, namespace, name, uid }
}

/** What an eviction depends on: that the Pod is where it was and whose it was. */
export function podReadings(one: Pod): Reading[] {
  const ref = podRef(one)
  const [owner] = one.metadata.ownerReferences
  return [
    reading(ref, '/spec/nodeName', one.spec.nodeName),
    owner === undefined
      ? reading(ref, '/metadata/ownerReferences', undefined)
      : reading(ref, '/metadata/ownerReferences/0/uid', owner.uid),
  ]
}
