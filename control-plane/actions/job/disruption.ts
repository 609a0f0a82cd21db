import type { Json } from '@jackstay/contract/json'
import type { ObjectRef } from '@jackstay/contract/plan'
import type { Disruption } from '@jackstay/judge/disruption'
import { z } from 'zod'

const json = z.custom<Json>((value) => value !== undefined)
const labels = z.record(z.string(), z.string()).default({})

/** What the figures of a Job's Pods rest on. */
export const jobSpec = z.object({
  parallelism: z.int().nullish(),
  completions: z.int().nullish(),
  template: z
    .object({
      metadata: z.object({ labels }).prefault({}),
      spec: z
        .object({ priorityClassName: z.string().default('') })
        .catchall(json)
        .prefault({}),
    })
    .prefault({}),
})

/** A new Job and its Pods beside those that are there. */
export function jobDisruption(
  { kind, name, namespace = '' }: ObjectRef,
  marks: Disruption['labels'],
  { parallelism, completions, template }: z.infer<typeof jobSpec>,
): Disruption {
  const extra = Math.min(parallelism ?? 1, completions ?? parallelism ?? 1)
  return {
    ...{ kind, namespace, name, labels: marks, ready: undefined, replicas: undefined },
    pods: [{ labels: template.metadata.labels, lost: 0 }],
    priority: template.spec.priorityClassName,
    growth: {
      ...{ extra, replaced: 0, before: template.spec, after: template.spec },
      objects: { 'count/jobs.batch': 1 },
    },
  }
}
