import type { Surroundings } from '@jackstay/judge/disruption'
import type { ClusterView } from '../ports.ts'

/** What stands around workloads, from the caches: read anew at every planning, dispatch's too. */
export function surroundings(cluster: ClusterView): Surroundings {
  return {
    labels: (name) => cluster.namespace(name)?.labels,
    budgets: (namespace) => cluster.budgets(namespace),
    autoscalers: (namespace) => cluster.autoscalers(namespace),
    quotas: (namespace) => cluster.quotas(namespace),
    priority: (className) => cluster.priority(className),
  }
}
