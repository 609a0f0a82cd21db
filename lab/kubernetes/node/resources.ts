import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { listAt } from '../resources/columns.ts'

const units: Readonly<Record<string, number>> = {
  ...{ m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
}

/** A quantity such as `500m` or `64Mi` as a number; nought for what is none. */
export function quantity(text: unknown): number {
  const [, number = '0', unit = ''] = /^([0-9.]+)([a-zA-Z]*)$/.exec(String(text ?? '')) ?? []
  return Number(number) * (units[unit] ?? 1)
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
