import { canonical } from '@jackstay/contract/json'
import type { Container, ReplicaSet } from './objects.ts'

/** What changed in one container from the previous revision to the current one. */
export interface ContainerChange {
  readonly name: string
  readonly before: Container
  readonly after: Container
}

export interface TemplateChanges {
  /** Containers whose requests or limits differ. */
  readonly resources: readonly ContainerChange[]
  /** Containers whose image differs. */
  readonly images: readonly ContainerChange[]
  /** Whether anything else that can be seen differs, container names included. */
  readonly otherwise: boolean
}

/** Differences of every new template that say nothing about what runs. */
const hashLabel = 'pod-template-hash'
const restartedAt = 'kubectl.kubernetes.io/restartedAt'

/** Values of environment variables are withheld from agents: a change of one alone is not seen here. */
export function changesBetween(previous: ReplicaSet, current: ReplicaSet): TemplateChanges {
  const before = previous.spec.template.spec.containers
  const pairs = current.spec.template.spec.containers.flatMap((after): ContainerChange[] => {
    const same = before.find(({ name }) => name === after.name)
    return same ? [{ name: after.name, before: same, after }] : []
  })
  return {
    resources: pairs.filter(
      ({ before, after }) => canonical(before.resources) !== canonical(after.resources),
    ),
    images: pairs.filter(({ before, after }) => before.image !== after.image),
    otherwise: canonical(rest(previous)) !== canonical(rest(current)),
  }
}

/** The template without images, resources and what each rollout changes anyway. */
function rest({ spec: { template } }: ReplicaSet): unknown {
  const { labels, annotations, ...metadata } = template.metadata
  const containers = template.spec.containers.map(({ image, resources, ...others }) => others)
  const { [hashLabel]: _hash, ...ownLabels } = labels
  const { [restartedAt]: _at, ...ownAnnotations } = annotations
  return {
    ...template,
    metadata: { ...metadata, labels: ownLabels, annotations: ownAnnotations },
    spec: { ...template.spec, containers },
  }
}
