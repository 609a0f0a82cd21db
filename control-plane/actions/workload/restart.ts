import type { Reading } from '@jackstay/contract/plan'
import { z } from 'zod'
import { defineAction, isRefusal, nameOf, type Refusal } from '../action.ts'
import { imageFacts, type RunningImage, runningImages } from './images.ts'
import {
  daemonSet,
  deployment,
  type Found,
  findWorkload,
  metadataReadings,
  patchOf,
  placeOf,
  statefulSet,
} from './observed.ts'
import { countsOf, lostAtOnce, rolloutFacts, rolloutProgress } from './rollout.ts'

const key = 'kubectl.kubernetes.io/restartedAt'
const path = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt'
const targets = [deployment, statefulSet, daemonSet]

const params = z.strictObject({})

interface Facts {
  readonly found: Found
  readonly images: readonly RunningImage[]
}

/** Why a new template would start no rollout by itself, or undefined. */
export function rollsNothing({ ref, workload: { spec } }: Found): Refusal | undefined {
  const place = placeOf(ref)
  if (ref.kind === 'Deployment' && spec.paused) {
    const message = `the Deployment \`${place}\` is paused; resume it first`
    return { refused: 'unsuitable_target', message }
  }
  if (ref.kind === 'Deployment') return undefined
  const { type, rollingUpdate } = spec.updateStrategy
  if (type === 'RollingUpdate' && rollingUpdate.partition === 0) return undefined
  const why = type === 'RollingUpdate' ? 'is partitioned' : `updates its Pods ${type} only`
  return { refused: 'unsuitable_target', message: `the ${ref.kind} \`${place}\` ${why}` }
}

/** What decides whether a new template is rolled out, as covered readings. */
export function rolloutReadings({ ref, workload: { spec } }: Found): Reading[] {
  const of = nameOf(ref)
  if (ref.kind === 'Deployment') return [{ of, path: '/spec/paused', value: { is: spec.paused } }]
  const { type, rollingUpdate } = spec.updateStrategy
  return [
    { of, path: '/spec/updateStrategy/type', value: { is: type } },
    {
      ...{ of, path: '/spec/updateStrategy/rollingUpdate/partition' },
      value: { is: rollingUpdate.partition },
    },
  ]
}

function plan({ found, images }: Facts, signedAt: number) {
  const { ref, workload: w } = found
  const at = new Date(signedAt * 1000).toISOString().replace('.000Z', 'Z')
  const old = w.spec.template.metadata.annotations[key]
  const patch = (value: string | null) => ({
    spec: { template: { metadata: { annotations: { [key]: value } } } },
  })
  const of = nameOf(ref)
  const { wanted } = countsOf(ref.kind, w)
  return {
    summary: `restart the ${wanted} Pods of ${ref.kind} ${placeOf(ref)}, ${lostAtOnce(found)} at a time at most`,
    target: ref,
    reads: [...metadataReadings(ref, w.metadata), ...rolloutReadings(found)],
    writes: [
      {
        ...{ id: 'w1', verb: 'patch' as const, object: ref, body: patch(at) },
        before: [{ of, path, value: old === undefined ? ('absent' as const) : { is: old } }],
        after: [{ of, path, value: { is: at } }],
        inverse: { body: patch(old ?? null) },
      },
    ],
    blastRadius: {
      objects: 1,
      pods: wanted,
      readyReplicasLost: lostAtOnce(found),
      namespaces: [w.metadata.namespace],
    },
    reversibility: 'inverse' as const,
    observed: { ...rolloutFacts(found), images: imageFacts(images) },
  }
}

/** Restarts every Pod of a workload by a new annotation on its template, as kubectl does. */
export const workloadRestart = defineAction<z.infer<typeof params>, Facts>({
  name: 'workload.restart',
  description:
    'Restarts the Pods of a Deployment, StatefulSet or DaemonSet, a few at a time as its update strategy says. Refused where a Git repository owns it, or where it is paused.',
  params,
  targets,
  writes: targets.map((kind) => patchOf(kind, [`spec.template.metadata.annotations[${key}]`])),
  reads: [
    { group: 'apps', resource: 'deployments' },
    { group: 'apps', resource: 'statefulsets' },
    { group: 'apps', resource: 'daemonsets' },
    { group: '', resource: 'pods' },
  ],
  verifySeconds: 300,

  async gather(target, read) {
    const found = await findWorkload(target, targets, read)
    if (isRefusal(found)) return found
    return { found, images: await runningImages(found.workload, read) }
  },
  plan: (_, facts, { signedAt }) => rollsNothing(facts.found) ?? plan(facts, signedAt),
  progress: rolloutProgress,
})
