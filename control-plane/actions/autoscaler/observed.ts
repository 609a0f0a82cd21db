import type { ObjectRef } from '@jackstay/contract/plan'
import { z } from 'zod'
import type { Observed, TargetKind } from '../action.ts'

export const autoscaler: TargetKind = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
}

const scaler = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ scaleTargetRef: z.object({ kind: z.string(), name: z.string() }) }),
})

/** Names of the autoscalers that own a workload's replicas. */
export function scalersOf({ kind, name }: ObjectRef, all: readonly Observed[]): string[] {
  return all
    .map((one) => scaler.parse(one))
    .filter(({ spec: { scaleTargetRef: of } }) => of.kind === kind && of.name === name)
    .map(({ metadata }) => metadata.name)
    .sort()
}
