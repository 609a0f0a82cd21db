import type { Disruption } from '@jackstay/judge/disruption'
import { z } from 'zod'
import type { FactReader } from '../action.ts'
import { disruptionOf, scaleGrowth } from '../workload/disruption.ts'
import { deployment, type Found, statefulSet, workload } from '../workload/observed.ts'

export const scaleTarget = z.object({
  apiVersion: z.string().default(''),
  kind: z.string(),
  name: z.string(),
})
type ScaleTarget = z.infer<typeof scaleTarget>

/** What an autoscaler scales, where it is there and a workload that Jackstay knows. */
export async function scaledBy(
  { apiVersion, kind, name }: ScaleTarget,
  namespace: string,
  read: FactReader,
): Promise<Found | undefined> {
  const known = [deployment, statefulSet].find(
    (k) => k.kind === kind && k.apiVersion === apiVersion,
  )
  const object = known && (await read.get(known, namespace, name))
  if (known === undefined || object === undefined) return undefined
  const found = workload.parse(object)
  return { workload: found, object, ref: { ...known, namespace, name, uid: found.metadata.uid } }
}

interface Bounded {
  readonly less: number
  readonly more: number
  readonly current: number
}

/** What other bounds do to the Pods at once. */
export function scaledDisruption(
  { kind, name }: ScaleTarget,
  scaled: Found | undefined,
  { less, more, current }: Bounded,
): Omit<Disruption, 'namespace'> {
  const replicas = { before: current, after: current - less + more }
  if (scaled === undefined) {
    const gone = { kind, name, labels: {}, pods: [{ labels: {}, lost: less }], ready: undefined }
    const of = { before: {}, after: {} }
    return { ...gone, replicas, priority: undefined, growth: { extra: more, replaced: 0, ...of } }
  }
  const growth = scaleGrowth(scaled, scaled.workload.spec.replicas + more)
  return { ...disruptionOf(scaled, { lost: less, growth }), replicas }
}
