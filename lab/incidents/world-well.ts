import { numberAt } from '../kubernetes/resources/columns.ts'
import { workloads } from '../world/world.ts'
import type { Check } from './incident.ts'

/** Everything that runs in a namespace of the world is settled and complete. */
export function isWell(namespace: string): Check {
  return (seen) => {
    for (const { kind, metadata } of workloads) {
      if (kind !== 'Deployment' || metadata.namespace !== namespace) continue
      const place = `${namespace}/${metadata.name}`
      const found = seen.get('Deployment', place)
      if (found === undefined) return `there is no Deployment ${place}`
      const { generation = 0 } = found.metadata
      const wanted = numberAt(found, 'spec.replicas', 1)
      const counts = ['replicas', 'updatedReplicas', 'availableReplicas']
      const settled = numberAt(found, 'status.observedGeneration') >= generation
      if (settled && counts.every((name) => numberAt(found, `status.${name}`) === wanted)) continue
      return `${place} is not complete`
    }
    return undefined
  }
}
