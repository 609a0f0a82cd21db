import { isRecord } from '@jackstay/kube/resources'
import { listAt, textAt } from '../resources/columns.ts'
import { timestamp } from '../timestamp.ts'
import { readObject } from './body.ts'
import { type Answer, type Call, placeOf } from './call.ts'
import { withoutUndefined } from './prepare.ts'
import { badRequest, conflict, created } from './status.ts'
import { admitted, existing, owned, type Writing } from './write.ts'

/** Puts a Pod on a node, once. @throws ApiError */
export async function bind(call: Call, { store, gates, now }: Writing): Promise<Answer> {
  const binding = await readObject(call.request)
  const pod = existing(call, store)
  const node = textAt(binding, 'target.name')
  if (node === '') throw badRequest('`target.name` is empty')
  gates.validate(admitted(call, 'CREATE', binding, undefined, { kind: 'CreateOptions' }))
  const taken = textAt(pod, 'spec.nodeName')
  if (taken !== '') {
    throw conflict(
      call.resource,
      call.info.name,
      `pod ${call.info.name} is already assigned to node "${taken}"`,
    )
  }
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(now()),
  }
  const others = listAt(pod, 'status.conditions').filter(
    (one) => textAt(one, 'type') !== 'PodScheduled',
  )
  const status = { ...(isRecord(pod.status) ? pod.status : {}), conditions: [...others, scheduled] }
  const spec = { ...(isRecord(pod.spec) ? pod.spec : {}), nodeName: node }
  const next = owned(call, pod, withoutUndefined({ ...pod, spec, status }), now())
  if (!call.dryRun) store.put(placeOf(call), next)
  return { code: 201, body: created }
}
