import { systemNamespace } from '@jackstay/contract/namespaces'
import type { IntentRecord } from '@jackstay/contract/record'
import { suspendedBy } from '@jackstay/judge/suspensions'
import type { Ports } from './ports.ts'

/** Why the intent's writes are stopped now, or undefined. The API server enforces the same by itself. */
export function suspended(
  record: IntentRecord,
  ports: Ports,
  { undo }: { readonly undo: boolean },
): string | undefined {
  const { claims, agent } = record.authenticated
  const { kind, name } = claims.target
  const namespace = claims.target.namespace ?? systemNamespace
  return suspendedBy({
    systemLabels: ports.cluster.namespace(systemNamespace)?.labels ?? {},
    namespaceLabels: ports.cluster.namespace(namespace)?.labels ?? {},
    suspensions: ports.cluster.suspensions(),
    class: agent.class,
    agent: agent.name,
    action: claims.action,
    target: { namespace: claims.target.namespace, kind, name },
    undo,
  })?.why
}
