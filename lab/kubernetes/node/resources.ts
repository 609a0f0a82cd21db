import { readQuantity } from '@jackstay/judge/quantities'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { listAt } from '../resources/columns.ts'

/** A quantity such as `500m` or `64Mi` as a number; nought for what is none. */
export function quantity(text: unknown): number {
  return Number(readQuantity(String(text ?? '')) ?? 0n) / 1e9
}

export interface Amount {
  readonly cpu: number
  readonly memory: number
}

/** What a Pod's containers request together. */
export function requested(pod: KubeObject): Amount {
  return listAt(pod, 'spec.containers').reduce<Amount>(
    (sum, container) => {
      const resources =
        isRecord(container) && isRecord(container.resources) ? container.resources : {}
      const { cpu, memory } = isRecord(resources.requests) ? resources.requests : {}
      return { cpu: sum.cpu + quantity(cpu), memory: sum.memory + quantity(memory) }
    },
    { cpu: 0, memory: 0 },
  )
}
