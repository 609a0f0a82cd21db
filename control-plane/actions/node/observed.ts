import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { ObjectRef } from '@jackstay/contract/plan'
import { z } from 'zod'
import type { FactReader, GivenTarget, PatchRight, Refusal, TargetKind } from '../action.ts'

export const nodeKind: TargetKind = {
  apiVersion: 'v1',
  kind: 'Node',
  resource: 'nodes',
  clusterScoped: true,
}

/** All that an executor may change of a node. */
export const unschedulable: PatchRight = {
  ...{ group: '', version: 'v1', resource: 'nodes', verb: 'patch', clusterScoped: true },
  mayChange: ['spec.unschedulable'],
}

const node = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z
    .object({
      unschedulable: z.boolean().optional(),
      taints: z
        .array(z.object({ key: z.string(), value: z.string().optional(), effect: z.string() }))
        .default([]),
    })
    .prefault({}),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .prefault({}),
})
export type Node = z.infer<typeof node>

export interface FoundNode {
  readonly node: Node
  readonly ref: ObjectRef
}

function readNode(object: unknown): Node {
  return node.parse(object)
}

/** Reads the node. Refused where it is gone, was replaced, or was not put under Jackstay on purpose. */
export async function findNode(
  target: GivenTarget,
  read: FactReader,
): Promise<FoundNode | Refusal> {
  const object = await read.get(nodeKind, '', target.name)
  if (object === undefined) {
    return { refused: 'target_not_found', message: `there is no Node \`${target.name}\`` }
  }
  const found = readNode(object)
  const { uid, labels, deletionTimestamp } = found.metadata
  if ((target.uid !== undefined && target.uid !== uid) || deletionTimestamp !== undefined) {
    const message = `the Node \`${target.name}\` was replaced or is being deleted`
    return { refused: 'target_not_found', message }
  }
  if (labels[governedLabel] !== 'true') {
    const message = `the Node \`${target.name}\` is not labelled ${governedLabel}=true`
    return { refused: 'not_governed', message }
  }
  const { clusterScoped: _, ...kind } = nodeKind
  return { node: found, ref: { ...kind, name: target.name, uid } }
}
