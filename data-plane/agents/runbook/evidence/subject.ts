import { dnsLabel, dnsName } from '@jackstay/contract/text'
import type { Trigger } from '@jackstay/contract/trigger'

/** What an alert is about, as far as its labels can be used as a name: a hint where to look. */
export interface Subject {
  readonly namespace: string
  readonly kind: 'Deployment' | 'Pod' | 'HorizontalPodAutoscaler' | 'Service'
  readonly name: string
}

/**
 * Whoever is named by one of them has the alert: the Prometheus operator also puts on `service` what was
 * scraped, which is kube-state-metrics there.
 */
const elsewhere = [
  ...['workload', 'statefulset', 'daemonset', 'replicaset', 'replicationcontroller'],
  ...['cronjob', 'job_name', 'node', 'persistentvolumeclaim', 'persistentvolume'],
  ...['poddisruptionbudget', 'resourcequota'],
]

/**
 * The Deployment an alert names, or what leads to it, most telling first: its autoscaler, a Pod of it,
 * a Service of it. Prometheus renames labels that the scraped program
 * has itself, so `exported_…` is what the alert is about where there are both.
 */
export function subjectOf({ labels }: Trigger): Subject | undefined {
  const said = (name: string) => labels[`exported_${name}`] ?? labels[name]
  const namespace = dnsLabel.safeParse(said('namespace'))
  if (!namespace.success) return undefined
  const workload = /^deployment$/i.test(said('workload_type') ?? '') ? said('workload') : undefined
  const deployment = said('deployment') ?? workload
  const named = [
    { kind: 'Deployment', name: deployment },
    { kind: 'HorizontalPodAutoscaler', name: said('horizontalpodautoscaler') },
    { kind: 'Pod', name: said('pod') },
    {
      kind: 'Service',
      name: elsewhere.some((label) => said(label) !== undefined) ? undefined : said('service'),
    },
  ] as const
  const first = named.find(({ name }) => name !== undefined)
  const name = dnsName.safeParse(first?.name)
  if (first === undefined || !name.success) return undefined
  return { namespace: namespace.data, kind: first.kind, name: name.data }
}
