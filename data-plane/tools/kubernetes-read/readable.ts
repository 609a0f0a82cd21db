import { JackstayError } from '@jackstay/contract/errors'
import { visible } from '@jackstay/contract/text'
import type { ResourceType } from '@jackstay/kube/resources'

export interface Readable extends ResourceType {
  readonly kind: string
  /** The ClusterRole that lets an agent read it. */
  readonly role: string
}

const workloads = 'jackstay-read-workloads'

/** Everything an agent can read, all namespaced. What is not here does not exist for agents. */
export const readable: readonly Readable[] = [
  { apiVersion: 'v1', kind: 'Pod', resource: 'pods', role: workloads },
  { apiVersion: 'v1', kind: 'Service', resource: 'services', role: workloads },
  { apiVersion: 'v1', kind: 'Event', resource: 'events', role: workloads },
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments', role: workloads },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets', role: workloads },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets', role: workloads },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets', role: workloads },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    resource: 'horizontalpodautoscalers',
    role: workloads,
  },
  { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs', role: workloads },
  { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs', role: workloads },
]

/**
 * The row of the table for exactly this apiVersion and kind: no short names, plurals or other
 * versions.
 * @throws JackstayError `forbidden`
 */
export function readableKind(apiVersion: string, kind: string): Readable {
  const found = readable.find((row) => row.apiVersion === apiVersion && row.kind === kind)
  if (found) return found
  const kinds = readable.map((row) => `${row.apiVersion} ${row.kind}`).join(', ')
  throw new JackstayError(
    'forbidden',
    `\`${visible(`${apiVersion} ${kind}`, 128)}\` cannot be read by agents; these can: ${kinds}`,
  )
}
