import { at, same } from '@jackstay/contract/field-changes'
import { isMap, type JsonMap } from '@jackstay/contract/json'
import { z } from 'zod'
import {
  type ActionPlan,
  defineAction,
  isRefusal,
  type Observed,
  type Refusal,
  type TargetKind,
} from '../action.ts'
import { reading } from '../field-write.ts'
import { mergePatch } from '../merge-patch.ts'
import { metadataReadings, patchOf, placeOf } from '../target.ts'
import { imageFacts, imageNotes, type RunningImage, runningImages } from './images.ts'
import { deployment, type Found, findWorkload, workload } from './observed.ts'
import { rolloutProgress, rolloutReach, rolloutSuccess } from './rollout.ts'
import { rolloutReadings, rollsNothing } from './rolls.ts'
import { heldChange, rollbackFields } from './template-guard.ts'

const replicaSets: TargetKind = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
}
const revisionKey = 'deployment.kubernetes.io/revision'
const hashLabel = 'pod-template-hash'

const params = z.strictObject({
  revision: z
    .int()
    .min(1)
    .optional()
    .describe('the revision as `kubectl rollout history` has it; the previous one if not given'),
})

const replicaSet = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z
      .array(z.object({ uid: z.string(), controller: z.boolean().default(false) }))
      .default([]),
  }),
})

/** One revision that a Deployment keeps. */
interface Revision {
  readonly number: number
  readonly name: string
  readonly uid: string
  readonly template: JsonMap
}

interface Facts {
  readonly found: Found
  readonly revisions: readonly Revision[]
  readonly images: readonly RunningImage[]
}

function revisionsOf({ ref }: Found, all: readonly Observed[]): Revision[] {
  return all.flatMap((object) => {
    const { metadata } = replicaSet.parse(object)
    const number = Number(metadata.annotations[revisionKey])
    const own = metadata.ownerReferences.some((o) => o.controller && o.uid === ref.uid)
    const template = at(object, '/spec/template')
    if (!own || !Number.isSafeInteger(number) || number < 1 || !isMap(template)) return []
    const { name, uid } = metadata
    return [{ number, name, uid, template: withoutHash(template) }]
  })
}

/** The template as the Deployment had it: the controller adds the hash for itself. */
function withoutHash(template: JsonMap): JsonMap {
  const metadata = isMap(template.metadata) ? template.metadata : {}
  const labels = isMap(metadata.labels) ? metadata.labels : {}
  const { [hashLabel]: _, ...rest } = labels
  const { creationTimestamp: __, ...kept } = metadata
  return { ...template, metadata: { ...kept, labels: rest } }
}

function templateOf({ object }: Found): JsonMap {
  const template = at(object, '/spec/template')
  return isMap(template) ? withoutHash(template) : {}
}

/** The one that was asked for, or the newest before the one that is now. */
function chosen(revision: number | undefined, { found, revisions }: Facts): Revision | Refusal {
  const place = placeOf(found.ref)
  const wanted =
    revision === undefined
      ? revisions
          .filter((r) => r.number < currentOf(found))
          .reduce<Revision | undefined>((a, b) => (a && a.number > b.number ? a : b), undefined)
      : revisions.find((r) => r.number === revision)
  if (wanted !== undefined) return wanted
  const known = revisions.map((r) => r.number).sort((a, b) => a - b)
  const what = revision === undefined ? 'earlier revision' : `revision ${revision}`
  const message = `the Deployment \`${place}\` keeps no ${what}; it has ${known.join(', ') || 'none'}`
  return { refused: 'unsuitable_target', message }
}

function currentOf({ workload: w }: Found): number {
  const current = Number(w.metadata.annotations[revisionKey])
  return Number.isSafeInteger(current) ? current : 0
}

function plan(facts: Facts, to: Revision): ActionPlan | Refusal {
  const { found, images } = facts
  const { ref, workload: w } = found
  const before = templateOf(found)
  const path = '/spec/template'
  if (same(before, to.template)) {
    const message = `\`${placeOf(ref)}\` has the template of revision ${to.number} already`
    return { refused: 'no_change', message }
  }
  const held = heldChange(before, to.template)
  if (held !== undefined) {
    const message = `revision ${to.number} differs in ${held}, which Jackstay never changes; roll it back by hand`
    return { refused: 'unsuitable_target', message }
  }
  const patch = (from: JsonMap, into: JsonMap) => ({ spec: { template: mergePatch(from, into) } })
  const reach = rolloutReach(found, to.template.spec)
  const kept = { ...ref, kind: replicaSets.kind, name: to.name, uid: to.uid }
  return {
    summary: `roll Deployment ${placeOf(ref)} back from revision ${currentOf(found)} to ${to.number}; ${reach.inWords}`,
    target: ref,
    reads: [
      ...metadataReadings(ref, w.metadata),
      ...rolloutReadings(found),
      reading(
        ref,
        '/metadata/annotations/deployment.kubernetes.io~1revision',
        String(currentOf(found)),
      ),
      reading(kept, '/metadata/annotations/deployment.kubernetes.io~1revision', String(to.number)),
    ],
    writes: [
      {
        ...{ id: 'w1', verb: 'patch', object: ref, body: patch(before, to.template) },
        before: [reading(ref, path, before)],
        after: [reading(ref, path, to.template)],
        inverse: { body: patch(to.template, before) },
      },
    ],
    ...reach.plan,
    observed: { ...reach.plan.observed, images: imageFacts(images) },
    notes: imageNotes(images),
  }
}

/** Sets a Deployment's template back to one that it had. */
export const workloadRollback = defineAction<z.infer<typeof params>, Facts>({
  name: 'workload.rollback',
  description:
    'Rolls a Deployment back to the previous revision or to a named one. Refused where host access, identity, privileges or credentials would change. Undone by setting the template it had.',
  cannotRestore:
    'What the replaced Pods held in memory and on their own disks, and what a newer version did to its data. An image that is named by a tag may be another one by now.',
  params,
  targets: [deployment],
  writes: [patchOf(deployment, rollbackFields)],
  reads: [
    { group: 'apps', resource: 'deployments' },
    { group: 'apps', resource: 'replicasets' },
    { group: '', resource: 'pods' },
  ],
  verifySeconds: 300,

  async gather(target, read, { revision }) {
    const found = await findWorkload(target, [deployment], read)
    if (isRefusal(found)) return found
    const revisions = revisionsOf(found, await read.list(replicaSets, target.namespace))
    const facts = { found, revisions, images: [] }
    const to = chosen(revision, facts)
    if (isRefusal(to)) return facts
    // what the images of the older template stand for now, where Pods of it still run
    const spec = { ...found.workload.spec, template: to.template }
    const older = workload.parse({ metadata: found.workload.metadata, spec })
    return { ...facts, images: await runningImages(older, read) }
  },

  plan({ revision }, facts) {
    const nothing = rollsNothing(facts.found)
    if (nothing !== undefined) return nothing
    const to = chosen(revision, facts)
    return isRefusal(to) ? to : plan(facts, to)
  },
  progress: rolloutProgress,
  success: rolloutSuccess,
})
