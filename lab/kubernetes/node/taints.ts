import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { listAt, textAt } from '../resources/columns.ts'

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

/** What a cordon puts on a node. */
export const cordoned: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** The first taint of a node that keeps a Pod from being put there. */
export function untolerated(pod: KubeObject, node: KubeObject): Taint | undefined {
  return taintsOf(node).find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod, taint),
  )
}

export function taintsOf(node: KubeObject): readonly Taint[] {
  return listAt(node, 'spec.taints')
    .filter(isRecord)
    .map((taint) => ({
      ...taint,
      ...{ key: textAt(taint, 'key'), effect: textAt(taint, 'effect') },
    }))
}

export function tolerates(pod: KubeObject, taint: Taint): boolean {
  return listAt(pod, 'spec.tolerations').some((one) => {
    const [key, effect] = [textAt(one, 'key'), textAt(one, 'effect')]
    if (effect !== '' && effect !== taint.effect) return false
    const exists = textAt(one, 'operator', 'Equal') === 'Exists'
    if (key === '') return exists
    return key === taint.key && (exists || textAt(one, 'value') === (taint.value ?? ''))
  })
}
