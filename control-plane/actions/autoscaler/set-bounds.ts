import { z } from 'zod'
import { defineAction, isRefusal, overtaken, type Refusal } from '../action.ts'
import { fieldWrite, reading } from '../field-write.ts'
import {
  findTarget,
  type Metadata,
  metadata,
  metadataReadings,
  ownedByGit,
  patchOf,
  placeOf,
} from '../target.ts'
import type { Found } from '../workload/observed.ts'
import { autoscaler } from './observed.ts'
import { scaledBy, scaledDisruption, scaleTarget } from './scaled.ts'

const bound = z.int().min(1).max(1000)
const params = z
  .strictObject({
    minReplicas: bound.optional().describe('the fewest replicas; stays where it is not given'),
    maxReplicas: bound.optional().describe('the most replicas; stays where it is not given'),
  })
  .refine(({ minReplicas, maxReplicas }) => (minReplicas ?? maxReplicas) !== undefined, {
    message: 'give `minReplicas` or `maxReplicas`',
  })
type Params = z.infer<typeof params>

const scaler = z.object({
  metadata,
  spec: z.object({
    minReplicas: z.int().default(1),
    maxReplicas: z.int(),
    scaleTargetRef: scaleTarget,
  }),
  status: z
    .object({
      observedGeneration: z.int().optional(),
      currentReplicas: z.int().default(0),
      desiredReplicas: z.int().default(0),
    })
    .prefault({}),
})

interface Facts {
  readonly ref: Parameters<typeof placeOf>[0]
  readonly marks: Metadata
  readonly found: z.infer<typeof scaler>
  /** What it scales; undefined where that is not there, or nothing that Jackstay knows. */
  readonly scaled: Found | undefined
}

function wanted({ minReplicas, maxReplicas }: Params, { spec }: Facts['found']) {
  return { min: minReplicas ?? spec.minReplicas, max: maxReplicas ?? spec.maxReplicas }
}

function plan({ ref, marks, found, scaled }: Facts, { min, max }: ReturnType<typeof wanted>) {
  const { spec, status } = found
  const current = status.currentReplicas
  const less = Math.max(0, current - max)
  // at zero the autoscaler is switched off
  const more = current === 0 ? 0 : Math.max(0, min - current)
  const { kind, name } = spec.scaleTargetRef
  const of = '/spec/scaleTargetRef'
  return {
    summary: `let HorizontalPodAutoscaler ${placeOf(ref)} keep ${kind} ${name} between ${min} and ${max} replicas; it has ${current}`,
    target: ref,
    reads: [
      ...metadataReadings(ref, marks),
      reading(ref, `${of}/kind`, kind),
      reading(ref, `${of}/name`, name),
    ],
    writes: [
      fieldWrite(ref, [
        { path: '/spec/minReplicas', before: spec.minReplicas, after: min },
        { path: '/spec/maxReplicas', before: spec.maxReplicas, after: max },
      ]),
    ],
    blastRadius: {
      objects: 1,
      pods: less + more,
      readyReplicasLost: less,
      namespaces: [marks.namespace],
    },
    disrupts: [scaledDisruption(spec.scaleTargetRef, scaled, { less, more, current })].map((d) => ({
      ...d,
      ...{ namespace: marks.namespace, bounds: { name: ref.name, min, max } },
    })),
    reversibility: 'inverse' as const,
    observed: { replicas: current, readyReplicas: current },
  }
}

/** Sets between how many replicas an autoscaler may choose. */
export const hpaSetBounds = defineAction<Params, Facts>({
  name: 'hpa.setBounds',
  description:
    'Sets the fewest and the most replicas of a HorizontalPodAutoscaler. Undone by setting the previous bounds.',
  cannotRestore: 'Pods that a lower bound took away: others come in their place.',
  params,
  targets: [autoscaler],
  writes: [patchOf(autoscaler, ['spec.minReplicas', 'spec.maxReplicas'])],
  reads: [
    { group: 'autoscaling', resource: 'horizontalpodautoscalers' },
    { group: 'apps', resource: 'deployments' },
    { group: 'apps', resource: 'statefulsets' },
  ],
  success: 'the bounds stand, and the replicas are within them',
  verifySeconds: 180,

  async gather(target, read) {
    const found = await findTarget(target, [autoscaler], read)
    if (isRefusal(found)) return found
    const parsed = scaler.parse(found.object)
    const marks = parsed.metadata
    const owned = ownedByGit(found.ref, marks)
    if (owned !== undefined) return owned
    const scaled = await scaledBy(parsed.spec.scaleTargetRef, target.namespace, read)
    return { ref: found.ref, marks, found: parsed, scaled }
  },

  plan(given, facts): ReturnType<typeof plan> | Refusal {
    const bounds = wanted(given, facts.found)
    const { minReplicas, maxReplicas } = facts.found.spec
    if (bounds.min > bounds.max) {
      const message = `${bounds.min} is more than ${bounds.max}; give both bounds`
      return { refused: 'invalid_params', message }
    }
    if (bounds.min === minReplicas && bounds.max === maxReplicas) {
      return { refused: 'no_change', message: `\`${placeOf(facts.ref)}\` has these bounds already` }
    }
    return plan(facts, bounds)
  },

  progress(plan, object) {
    const foreign = overtaken(plan, object)
    if (foreign !== undefined || object === undefined) {
      return { state: 'broken', message: foreign ?? 'the autoscaler is gone' }
    }
    const { metadata: m, spec, status } = scaler.parse(object)
    const { currentReplicas: now } = status
    const message = `${now} replicas, between ${spec.minReplicas} and ${spec.maxReplicas} wanted`
    if ((status.observedGeneration ?? m.generation) < m.generation) {
      return { state: 'pending', message: 'the autoscaler has not seen the bounds yet' }
    }
    const within = now === 0 || (now >= spec.minReplicas && now <= spec.maxReplicas)
    return { state: within ? 'holds' : 'pending', message }
  },
})
