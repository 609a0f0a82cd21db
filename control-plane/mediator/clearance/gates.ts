import { isRefusal, type Refusal } from '@jackstay/actions/action'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import type { IntentRecord } from '@jackstay/contract/record'
import { withinClass } from '@jackstay/judge/class-ceiling'
import { namespacesOf } from '../line/reach.ts'
import type { ClassView, Ports } from '../ports.ts'
import { windowClosed } from '../windows/closed.ts'
import { authorityOf } from './authority.ts'
import { suspended } from './suspended.ts'

/**
 * Whether nothing that the caches know of forbids the intent's writes now, in any namespace that it
 * writes in: asked with the decision, at dispatch, and before each further write.
 */
export function mayWrite(
  record: IntentRecord,
  ports: Ports,
): { readonly class: ClassView } | Refusal {
  const stop = suspended(record, ports)
  if (stop !== undefined) return { refused: 'suspended', message: stop }
  const closed = windowClosed(record, ports)
  if (closed !== undefined) return { refused: 'window_closed', message: closed }
  const authority = authorityOf(record, ports)
  if (isRefusal(authority)) return authority
  return beyondClass(record, ports, authority.class) ?? authority
}

/** What of the intent's writes lies beyond its class, or in a namespace that is not governed. */
export function beyondClass(
  record: IntentRecord,
  ports: Ports,
  found: ClassView,
): Refusal | undefined {
  const { claims } = record.authenticated
  for (const place of namespacesOf(record)) {
    const namespace = place === '' ? undefined : place
    const asked = { action: claims.action, namespace, name: claims.target.name }
    const outside = withinClass(found.spec, asked)
    if (outside !== undefined) return { refused: 'outside_class', message: outside }
    // what belongs to no namespace carries the label itself, and its action looks for it
    if (namespace === undefined) continue
    if (ports.cluster.namespace(namespace)?.labels[governedLabel] !== 'true') {
      const message = `the namespace \`${namespace}\` is not labelled ${governedLabel}=true`
      return { refused: 'not_governed', message }
    }
  }
  return undefined
}
