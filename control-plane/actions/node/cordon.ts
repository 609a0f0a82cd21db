import { token } from '@jackstay/contract/field-changes'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { ObjectRef, PlannedWrite, Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import { type ActionPlan, defineAction, overtaken, type Refusal } from '../action.ts'
import { fieldWrite, reading } from '../field-write.ts'
import { type FoundNode, findNode, nodeKind, unschedulable } from './observed.ts'

const params = z.strictObject({})

/** Closes a node to new Pods, or opens it. Kubernetes leaves the field out where it is false. */
export function cordonWrite(ref: ObjectRef, close: boolean): PlannedWrite {
  const field = (closed: boolean) => (closed ? true : undefined)
  const path = '/spec/unschedulable'
  return fieldWrite(ref, [{ path, before: field(!close), after: field(close) }])
}

/** What every change of a node depends on besides the field itself. */
export function nodeReadings(ref: ObjectRef): Reading[] {
  return [
    reading(ref, '/metadata/deletionTimestamp', undefined),
    reading(ref, `/metadata/labels/${token(governedLabel)}`, 'true'),
  ]
}

function plan({ node, ref }: FoundNode, close: boolean): ActionPlan | Refusal {
  if ((node.spec.unschedulable === true) === close) {
    const message = `the Node \`${ref.name}\` is ${close ? 'cordoned' : 'open'} already`
    return { refused: 'no_change', message }
  }
  return {
    summary: `${close ? 'cordon' : 'uncordon'} Node ${ref.name}: new Pods are ${close ? 'no longer' : 'again'} placed on it`,
    target: ref,
    reads: nodeReadings(ref),
    writes: [cordonWrite(ref, close)],
    blastRadius: { objects: 1, pods: 0, readyReplicasLost: 0, namespaces: [] },
    disrupts: [],
    reversibility: 'inverse',
    observed: { conditions: node.status.conditions },
  }
}

function action(close: boolean) {
  const inverse = close ? 'uncordoning' : 'cordoning'
  return defineAction<z.infer<typeof params>, FoundNode>({
    name: close ? 'node.cordon' : 'node.uncordon',
    description: `${close ? 'Closes a Node to new Pods' : 'Opens a cordoned Node to new Pods'}; running Pods stay. Undone by ${inverse} it.`,
    cannotRestore: close
      ? 'Where Pods were placed meanwhile.'
      : 'Where Pods were placed meanwhile: cordoning again moves none of them away.',
    success: 'The field stands as it was written.',
    params,
    targets: [nodeKind],
    writes: [unschedulable],
    reads: [{ group: '', resource: 'nodes' }],
    verifySeconds: 30,
    gather: findNode,
    plan: (_, found) => plan(found, close),
    progress(made, object) {
      const moved = overtaken(made, object)
      if (moved !== undefined) return { state: 'broken', message: moved }
      return { state: 'holds', message: `the Node is ${close ? 'closed' : 'open'} to new Pods` }
    },
  })
}

export const nodeCordon = action(true)
export const nodeUncordon = action(false)
