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
      const found = await reader.one(pod, place, name)
      const owner = await ownerOf(found, namespace, reader)
      if (owner !== undefined) return owner
      throw new JackstayError('not_found', `no Deployment owns the Pod \`${namespace}/${name}\``)
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
async function ownerOf(
  { metadata }: Pod,
  namespace: string,
  reader: Reader,
): Promise<string | undefined> {
  const set = metadata.ownerReferences.find((owner) => owner.kind === 'ReplicaSet')
  const place = { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace }
  const owner = set && (await reader.one(replicaSet, place, set.name))
  if (owner?.metadata.uid !== set?.uid) return undefined
  return owner?.metadata.ownerReferences.find((one) => one.kind === 'Deployment')?.name
}

/**
 * Whose Pods a Service selects. One that selects none is nothing that a change of Pods ends; of one that
 * selects those of several, its alert does not say whose it is about.
 */
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
  const pods = await reader.all(pod, { ...place, kind: 'Pod' }, { labelSelector })
  const selects = `Service ${namespace}/${name} selects Pods by ${labelSelector}`
  if (pods.length === 0) {
    return escalate('service_selects_nothing', `${selects}, and there is none`, [
      'a Pod with these labels, or a selector that fits the Pods there are',
    ])
  }
  // one Pod of each set: the others have the same owner
  const sets = new Map(pods.map((one) => [one.metadata.ownerReferences[0]?.uid, one]))
  const owners = new Set<string | undefined>()
  for (const one of sets.values()) owners.add(await ownerOf(one, namespace, reader))
  const [owner] = owners
  if (owners.size > 1) {
    const named = [...owners].flatMap((one) => one ?? []).sort()
    const others = owners.has(undefined) ? ' and of what is no Deployment' : ''
    return escalate('service_of_several', `${selects}: of ${named.join(', ')}${others}`, [
      'an alert that names the Deployment, or a Pod of it',
    ])
  }
  if (owner !== undefined) return owner
  throw new JackstayError('not_found', `no Deployment owns what ${selects}`)
}
