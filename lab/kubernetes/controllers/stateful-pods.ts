import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { listAt, mapAt, textAt } from '../resources/columns.ts'
import { referenceTo } from './owned.ts'

const revisionLabel = 'controller-revision-hash'

/** The number at the end of a Pod's name; NaN where it is none of the set's. */
export function ordinalOf(set: KubeObject, { metadata: { name = '' } }: KubeObject): number {
  const stem = `${set.metadata.name}-`
  return name.startsWith(stem) && /^\d+$/.test(name.slice(stem.length))
    ? Number(name.slice(stem.length))
    : Number.NaN
}

/** The name of the revision that a Pod was made of. */
export function revisionOf(pod: KubeObject): string {
  return pod.metadata.labels?.[revisionLabel] ?? ''
}

/** Volume claims of one Pod, by the set's templates. */
export function claimsOf(set: KubeObject, ordinal: number): readonly KubeObject[] {
  const { name, namespace = '' } = set.metadata
  const labels = mapAt(set, 'spec.selector.matchLabels') as Readonly<Record<string, string>>
  return listAt(set, 'spec.volumeClaimTemplates')
    .filter(isRecord)
    .map((template) => ({
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: template.spec },
      metadata: {
        name: `${textAt(template, 'metadata.name')}-${name}-${ordinal}`,
        ...{ namespace, labels },
      },
    }))
}

/** The Pod of one number, of a revision's template. */
export function podOf(set: KubeObject, revision: KubeObject, ordinal: number): KubeObject {
  const name = `${set.metadata.name}-${ordinal}`
  const template = mapAt(revision.data, 'spec.template')
  const { labels, annotations } = mapAt(template, 'metadata')
  const spec = mapAt(template, 'spec')
  const templates = listAt(set, 'spec.volumeClaimTemplates').map((one) =>
    textAt(one, 'metadata.name'),
  )
  const claims = claimsOf(set, ordinal).map(({ metadata }, i) => ({
    name: templates[i],
    persistentVolumeClaim: { claimName: metadata.name },
  }))
  const others = listAt(spec, 'volumes').filter((one) => !templates.includes(textAt(one, 'name')))
  const volumes = [...others, ...claims]
  const service = textAt(set, 'spec.serviceName')
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      name,
      labels: {
        ...(isRecord(labels) ? (labels as Record<string, string>) : {}),
        'apps.kubernetes.io/pod-index': String(ordinal),
        [revisionLabel]: revision.metadata.name ?? '',
        'statefulset.kubernetes.io/pod-name': name,
      },
      ...(isRecord(annotations) && { annotations: annotations as Record<string, string> }),
      ownerReferences: [referenceTo(set)],
    },
    spec: {
      ...spec,
      hostname: name,
      ...(service !== '' && { subdomain: service }),
      ...(volumes.length > 0 && { volumes }),
    },
  }
}
