import type { ObjectRef, Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import {
  type FactReader,
  type GivenTarget,
  nameOf,
  type Observed,
  type PatchRight,
  type Refusal,
  type TargetKind,
} from './action.ts'
import { gitOwner, gitReadings } from './git-ownership.ts'

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
export function patchOf(kind: TargetKind, mayChange: readonly string[]): PatchRight {
  const [group = '', version = ''] = kind.apiVersion.split('/')
  return { group, version, resource: kind.resource, verb: 'patch', mayChange }
}
