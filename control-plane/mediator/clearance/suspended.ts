import { systemNamespace } from '@jackstay/contract/namespaces'
import type { WriteObject } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import { suspendedBy } from '@jackstay/judge/suspensions'
import { type Named, objectsOf } from '../line/reach.ts'
import type { Ports } from '../ports.ts'

/**
 * Why the intent's writes are stopped now, or undefined: a plan stops as a whole, whichever of its
 * objects is named. The API server enforces the same by itself, write by write.
 */
export function suspended(record: IntentRecord, ports: Ports): string | undefined {
  return firstStop(record, objectsOf(record), ports, false)
}

/** The same for taking one write back, which nothing that stops other objects holds up. */
export function undoSuspended(
  record: IntentRecord,
  object: WriteObject,
  ports: Ports,
): string | undefined {
  return firstStop(record, [record.authenticated.claims.target, object], ports, true)
}

function firstStop(
  record: IntentRecord,
  objects: readonly Named[],
  { cluster }: Ports,
  undo: boolean,
): string | undefined {
  const { claims, agent } = record.authenticated
  const labelsOf = (namespace: string) => cluster.namespace(namespace)?.labels ?? {}
  const suspensions = cluster.suspensions()
  for (const { kind, namespace, name } of objects) {
    const stop = suspendedBy({
      systemLabels: labelsOf(systemNamespace),
      namespaceLabels: labelsOf(namespace ?? systemNamespace),
      suspensions,
      class: agent.class,
      agent: agent.name,
      action: claims.action,
      target: { namespace, kind, name },
      undo,
    })
    if (stop !== undefined) return stop.why
  }
  return undefined
}
