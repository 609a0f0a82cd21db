import { JackstayError } from '@jackstay/contract/errors'
import { selectorText } from '@jackstay/contract/label-selector'
import { type Escalation, escalate } from '../diagnoses/diagnosis.ts'
import { autoscaler, type Pod, pod, replicaSet, service } from './objects.ts'
import type { Reader } from './reader.ts'
import type { Subject } from './subject.ts'

/** The Deployment that an alert leads to, or why it leads to none. @throws JackstayError as reading does */
export async function namedDeployment(
  subject: Subject,
  reader: Reader,
): Promise<string | Escalation> {
  const { kind, namespace, name } = subject
  switch (kind) {
    case 'Deployment':
      return name
    case 'Pod': {
      const place = { apiVersion: 'v1', kind: 'Pod', namespace }
      return await ownerOf(await reader.one(pod, place, name), namespace, reader)
    }
    case 'HorizontalPodAutoscaler': {
      const place = { apiVersion: 'autoscaling/v2', kind, namespace }
      const { spec } = await reader.one(autoscaler, place, name)
      if (spec.scaleTargetRef.kind === 'Deployment') return spec.scaleTargetRef.name
      throw new JackstayError('not_found', `\`${namespace}/${name}\` scales no Deployment`)
    }
    case 'Service':
      return await servedBy(subject, reader)
  }
}

/** By who owns what: names of Pods are made up, and cut where they are long. */
async function ownerOf({ metadata }: Pod, namespace: string, reader: Reader): Promise<string> {
  const set = metadata.ownerReferences.find((owner) => owner.kind === 'ReplicaSet')
  const place = { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace }
  const owner = set && (await reader.one(replicaSet, place, set.name))
  const last = owner?.metadata.ownerReferences.find((one) => one.kind === 'Deployment')
  if (last !== undefined && owner?.metadata.uid === set?.uid) return last.name
  throw new JackstayError(
    'not_found',
    `no Deployment owns the Pod \`${namespace}/${metadata.name}\``,
  )
}

/** Whose Pods a Service selects. One that selects none is nothing that a change of Pods ends. */
async function servedBy(
  { namespace, name }: Subject,
  reader: Reader,
): Promise<string | Escalation> {
  const place = { apiVersion: 'v1', kind: 'Service', namespace }
  const { spec } = await reader.one(service, place, name)
  const matchLabels = spec.selector
  if (Object.keys(matchLabels).length === 0) {
    throw new JackstayError('not_found', `the Service \`${namespace}/${name}\` has no selector`)
  }
  const labelSelector = selectorText({ matchLabels, matchExpressions: [] })
  const [first] = await reader.all(pod, { ...place, kind: 'Pod' }, { labelSelector })
  if (first !== undefined) return await ownerOf(first, namespace, reader)
  return escalate(
    'service_selects_nothing',
    `Service ${namespace}/${name} selects Pods by ${labelSelector}, and there is none`,
    ['a Pod with these labels, or a selector that fits the Pods there are'],
  )
}
