import type { IntentRecord } from '@jackstay/contract/record'
import type { DoubtedQuestion } from '@jackstay/judge/windows-closed'
import { closedBy } from '@jackstay/judge/windows-closed'
import { namespacesOf } from '../line/reach.ts'
import type { Ports } from '../ports.ts'

/** What windows are asked about a change now: by both clocks where the one on the wall has jumped. */
export function windowQuestion(
  action: string,
  namespace: string,
  { clock, steady }: Pick<Ports, 'clock' | 'steady'>,
): DoubtedQuestion {
  const ahead = steady.ahead()
  const now = clock.now()
  return { action, namespace, at: ahead === 0 ? [now] : [now, now - ahead] }
}

/** Why the change windows let the intent's writes not be made now, in any of its namespaces, or undefined. */
export function windowClosed(record: IntentRecord, ports: Ports): string | undefined {
  const { action, target } = record.authenticated.claims
  const windows = ports.cluster.windows()
  for (const namespace of namespacesOf(record)) {
    const closed = closedBy(windows, windowQuestion(action, namespace, ports))
    if (closed === undefined) continue
    return namespace === (target.namespace ?? '')
      ? closed
      : `in the namespace \`${namespace}\`: ${closed}`
  }
  return undefined
}
