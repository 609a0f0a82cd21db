import { systemNamespace } from '@jackstay/contract/namespaces'
import { type AuditWrite, succeeded } from '../witness/audit-event.ts'
import type { Evidence, Violation } from './evidence.ts'
import { describe, executorClass } from './explained.ts'

const promise = 'nobody else changed anything'

/** What Jackstay's own programs may change, as the chart gives it to them. */
const ownRights: Readonly<Record<string, (write: AuditWrite) => boolean>> = {
  'jackstay-mediator': ({ group, resource, verb, subresource }) =>
    resource === 'events' ||
    /reviews$/.test(resource) ||
    (group === 'jackstay.dev' &&
      (resource === 'intents' ||
        (resource === 'approvals' && verb === 'delete') ||
        (resource === 'suspensions' && verb === 'create') ||
        subresource === 'status')),
  'jackstay-registrar': ({ group, resource }) =>
    /reviews$/.test(resource) || (group === 'jackstay.dev' && resource === 'agentkeys'),
  'jackstay-kubernetes-read': ({ resource }) => /reviews$/.test(resource),
}

const controllers =
  /^system:(apiserver|kube-controller-manager|kube-scheduler|node:.*|serviceaccount:kube-system:.*)$/

/** Changes in governed namespaces, or by Jackstay's own identities and agents, that nobody explains. */
export function strangerFaults({
  writes,
  book,
  governed,
}: Pick<Evidence, 'writes' | 'book' | 'governed'>): Violation[] {
  return writes
    .filter((write) => succeeded(write) && executorClass(write.user) === undefined)
    .filter((write) => !book.deeds.has(write.auditId) && !isExpected(write, governed))
    .map((write) => ({ promise, what: describe(write) }))
}

function isExpected(write: AuditWrite, governed: ReadonlySet<string>): boolean {
  const program = programOf(write.user)
  if (program !== undefined) return ownRights[program]?.(write) ?? false
  const [, agentNamespace] = /^system:serviceaccount:(jackstay-class-[^:]*):/.exec(write.user) ?? []
  if (agentNamespace !== undefined) return false
  if (!governed.has(write.namespace)) return true
  // the tokens that a kubelet would renew; nothing is stored
  if (write.resource === 'serviceaccounts' && write.subresource === 'token') return true
  return controllers.test(write.user)
}

function programOf(user: string): string | undefined {
  const prefix = `system:serviceaccount:${systemNamespace}:`
  return user.startsWith(prefix) ? user.slice(prefix.length) : undefined
}
