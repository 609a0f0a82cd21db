import { at } from '@jackstay/contract/field-changes'
import { isList, isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import { z } from 'zod'
import { type ActionPlan, defineAction, isRefusal, type Refusal } from '../action.ts'
import { fieldWrite } from '../field-write.ts'
import { metadataReadings, patchOf, placeOf } from '../target.ts'
import { templateSpec } from './disruption.ts'
import { imageFacts, imageNotes, type RunningImage, runningImages } from './images.ts'
import {
  daemonSet,
  deployment,
  type Found,
  findWorkload,
  statefulSet,
  workloadReads,
} from './observed.ts'
import { rolloutProgress, rolloutReach, rolloutSuccess } from './rollout.ts'
import { rolloutReadings, rollsNothing } from './rolls.ts'

const path = '/spec/template/spec/containers'
const targets = [deployment, statefulSet, daemonSet]

export const containerName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'the name of a container')
  .describe('the container of the template')

interface Facts {
  readonly found: Found
  readonly images: readonly RunningImage[]
}

/** An action that changes one field of one container. */
export interface ContainerAction<Params> {
  readonly name: string
  readonly description: string
  readonly cannotRestore: string
  readonly params: z.ZodType<Params>
  readonly field: string
  /** The field as it shall be, from what it is. */
  change(params: Params, now: Json | undefined): { readonly to: Json } | Refusal
  /** For people: what happens to `container` of `place`. */
  summary(params: Params, place: string): string
}

/**
 * A merge patch replaces a list whole, so the body is the list as it was with one field changed: if
 * anything else in it moves, the plan is another one.
 */
export function containerAction<Params extends { readonly container: string }>(
  action: ContainerAction<Params>,
) {
  const { name, description, cannotRestore, params, field } = action
  return defineAction<Params, Facts>({
    ...{ name, description, cannotRestore, params, targets },
    writes: targets.map((kind) => patchOf(kind, [`spec.template.spec.containers[*].${field}`])),
    reads: [...workloadReads, { group: '', resource: 'pods' }],
    verifySeconds: 300,

    async gather(target, read) {
      const found = await findWorkload(target, targets, read)
      if (isRefusal(found)) return found
      return { found, images: await runningImages(found.workload, read) }
    },
    plan: (given, facts) => rollsNothing(facts.found) ?? plan(action, given, facts),
    progress: rolloutProgress,
    success: rolloutSuccess,
  })
}

function plan<Params extends { readonly container: string }>(
  action: ContainerAction<Params>,
  given: Params,
  { found, images }: Facts,
): ActionPlan | Refusal {
  const { ref, object, workload: w } = found
  const { field } = action
  const place = placeOf(ref)
  const containers = containersOf(object)
  const mine = containers.find((one) => one.name === given.container)
  if (mine === undefined) {
    const names = containers.map((one) => `\`${String(one.name)}\``).join(', ')
    const message = `\`${place}\` has no container \`${given.container}\`; it has ${names}`
    return { refused: 'unsuitable_target', message }
  }
  const wanted = action.change(given, mine[field])
  if (isRefusal(wanted)) return wanted
  const after = containers.map((one) => (one === mine ? { ...mine, [field]: wanted.to } : one))
  const podSpec = { ...templateSpec(object), containers: after }
  const reach = rolloutReach(found, podSpec)
  return {
    summary: `${action.summary(given, `${ref.kind} ${place}`)}; ${reach.inWords}`,
    target: ref,
    reads: [...metadataReadings(ref, w.metadata), ...rolloutReadings(found)],
    writes: [fieldWrite(ref, [{ path, before: containers, after }])],
    ...reach.plan,
    observed: { ...reach.plan.observed, images: imageFacts(images) },
    notes: imageNotes(images.filter((i) => i.container === given.container)),
  }
}

function containersOf(object: JsonMap): readonly JsonMap[] {
  const list = at(object, path)
  return isList(list) ? list.filter(isMap) : []
}
