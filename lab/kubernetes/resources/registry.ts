import { appsKinds } from './apps.ts'
import { autoscalingKinds } from './autoscaling.ts'
import { batchKinds } from './batch.ts'
import { otherKinds } from './cluster-wide.ts'
import { coreKinds } from './core.ts'
import type { Resource } from './resource.ts'
import { rbacKinds, reviewKinds } from './rights.ts'

const builtIn: readonly Resource[] = [
  ...coreKinds,
  ...appsKinds,
  ...batchKinds,
  ...autoscalingKinds,
  ...rbacKinds,
  ...reviewKinds,
  ...otherKinds,
]

/** Where objects of the resource lie in the store, one place for all of its versions. */
export function collectionOf({ group, plural }: Pick<Resource, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** Everything that is served now: what is built in, and what definitions of custom kinds add. */
export class Registry {
  readonly #served = new Map<string, Resource>()
  /** Rises with every change: who keeps something that rests on all of it asks. */
  generation = 0

  constructor(resources: readonly Resource[] = builtIn) {
    for (const resource of resources) this.#served.set(keyOf(resource), resource)
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#served.get(keyOf({ group, version, plural }))
  }

  ofKind(group: string, version: string, kind: string): Resource | undefined {
    return this.all().find(
      (one) => one.group === group && one.version === version && one.kind === kind,
    )
  }

  all(): readonly Resource[] {
    return [...this.#served.values()]
  }

  /** What a definition serves by now; its versions that are gone are served no more. */
  replaceCustom(definition: string, resources: readonly Resource[]): void {
    for (const [key, { custom }] of this.#served) {
      if (custom?.metadata.name === definition) this.#served.delete(key)
    }
    for (const resource of resources) this.#served.set(keyOf(resource), resource)
    this.generation++
  }
}

function keyOf({ group, version, plural }: Pick<Resource, 'group' | 'version' | 'plural'>): string {
  return `${group}/${version}/${plural}`
}
