import { dnsLabel, dnsName } from '@jackstay/contract/text'
import type { Trigger } from '@jackstay/contract/trigger'

/** What an alert is about, as far as its labels can be used as a name: a hint where to look. */
export interface Subject {
  readonly namespace: string
  readonly kind: 'Deployment' | 'Pod'
  readonly name: string
}

/**
 * The Deployment an alert names, or a Pod of it. Prometheus renames labels that the scraped program
 * has itself, so `exported_…` is what the alert is about where there are both.
 */
export function subjectOf({ labels }: Trigger): Subject | undefined {
  const said = (name: string) => labels[`exported_${name}`] ?? labels[name]
  const namespace = dnsLabel.safeParse(said('namespace'))
  if (!namespace.success) return undefined
  const workload = /^deployment$/i.test(said('workload_type') ?? '') ? said('workload') : undefined
  const deployment = said('deployment') ?? workload
  const kind = deployment === undefined ? 'Pod' : 'Deployment'
  const name = dnsName.safeParse(deployment ?? said('pod'))
  if (!name.success) return undefined
  return { namespace: namespace.data, kind, name: name.data }
}
