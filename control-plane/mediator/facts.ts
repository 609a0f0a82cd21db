import type { Json } from '@jackstay/contract/json'
import type { Plan, PlannedWrite, Reading } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Facts } from '@jackstay/judge/facts'
import type { Ports } from './ports.ts'

/**
 * What rules may look at: the signed request, the control plane's own plan and reads, the clock.
 * Nothing an agent says about itself, and no trigger.
 */
export function factsOf(record: IntentRecord, plan: Plan, ports: Ports): Facts {
  const { claims, agent } = record.authenticated
  const { summary, reversibility, blastRadius } = plan
  const { apiVersion, kind, namespace = '', name } = plan.target
  const [agentNamespace = '', serviceAccount = ''] = agent.name.split('/')
  return {
    intent: { action: claims.action, params: claims.params },
    action: plan.action,
    target: { apiVersion, kind, namespace, name },
    plan: { summary, reversibility, blastRadius, writes: plan.writes.flatMap(fields) },
    agent: { name: agent.name, namespace: agentNamespace, serviceAccount },
    class: {
      name: agent.class,
      autonomy: ports.cluster.class(agent.class)?.spec.autonomy ?? 'observe',
    },
    cluster: { uid: ports.clusterUid },
    namespace: { name: namespace, labels: ports.cluster.namespace(namespace)?.labels ?? {} },
    now: new Date(ports.clock.now()),
  }
}

/** The write field by field; a field on one side only is absent on the other. */
function fields(write: PlannedWrite): Facts['plan']['writes'] {
  const paths = new Set([...write.before, ...write.after].map((r) => r.path))
  return [...paths].map((path) => ({
    path,
    before: valueAt(write.before, path),
    after: valueAt(write.after, path),
  }))
}

function valueAt(readings: readonly Reading[], path: string): Json {
  const value = readings.find((r) => r.path === path)?.value
  return value === undefined || value === 'absent' ? null : value.is
}
