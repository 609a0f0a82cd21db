import { describeObject } from '@jackstay/contract/plan'
import type { Disruption } from '@jackstay/judge/disruption'
import { z } from 'zod'
import { defineAction, isRefusal, type Refusal } from '../action.ts'
import { findTarget } from '../target.ts'
import {
  controllerOf,
  eviction,
  isReady,
  localVolumes,
  type Pod,
  pod,
  podKind,
  podReadings,
  podRef,
} from './observed.ts'
import { disruptionsOf, ownerReads } from './owners.ts'

const params = z.strictObject({})

interface Facts {
  readonly found: Pod
  readonly disrupts: readonly Disruption[]
}

function unfit({ metadata }: Pod): Refusal | undefined {
  if (metadata.annotations['kubernetes.io/config.mirror'] === undefined) return undefined
  const message = `\`${metadata.name}\` is a static Pod; its node would start it again`
  return { refused: 'unsuitable_target', message }
}

/** Asks the eviction API for one Pod to go. */
export const podEvict = defineAction<z.infer<typeof params>, Facts>({
  name: 'pod.evict',
  description:
    'Evicts one Pod by the eviction API, which honours disruption budgets. A controller replaces it; without one it is gone for good, which always takes an approval.',
  cannotRestore:
    'The Pod itself, its emptyDir volumes, its place and whatever it held in memory; only its controller, where it has one, makes another.',
  success: 'The Pod is gone.',
  params,
  targets: [podKind],
  writes: [eviction],
  reads: [{ group: '', resource: 'pods' }, ...ownerReads],
  verifySeconds: 120,

  async gather(target, read) {
    const there = await findTarget(target, [podKind], read)
    if (isRefusal(there)) return there
    const found = pod.parse(there.object)
    return unfit(found) ?? { found, disrupts: await disruptionsOf([found], read) }
  },

  plan(_, { found, disrupts }) {
    const ref = podRef(found)
    const owner = controllerOf(found)
    const local = localVolumes(found)
    const gone = local.length > 0 ? `; what is in ${local.join(', ')} is lost` : ''
    const next =
      owner === undefined ? 'nothing replaces it' : `${owner.kind} ${owner.name} replaces it`
    return {
      summary: `evict ${describeObject(ref)}: ${next}${gone}`.slice(0, 512),
      target: ref,
      reads: [],
      writes: [{ id: 'w1', verb: 'evict', object: ref, before: podReadings(found) }],
      blastRadius: {
        ...{ objects: 1, pods: 1, readyReplicasLost: isReady(found) ? 1 : 0 },
        namespaces: [found.metadata.namespace],
      },
      disrupts,
      reversibility: owner === undefined ? 'irreversible' : 'self-healing',
      observed: { phase: found.status.phase, node: found.spec.nodeName },
    }
  },

  progress(plan, object) {
    const uid = object && pod.parse(object).metadata.uid
    return uid === plan.target.uid
      ? { state: 'pending', message: 'the Pod is still ending' }
      : { state: 'holds', message: 'the Pod is gone' }
  },
})
