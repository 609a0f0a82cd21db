import {
  cronJob,
  deployment,
  type Manifest,
  quota,
  server,
  service,
  type Workload,
} from './manifests.ts'

const namespace = 'batch'

export const reports: Workload = {
  ...{ namespace, name: 'reports', replicas: 2 },
  container: server('reports', 'registry.example/batch/reports:0.9.3', {
    ...{ cpu: '100m', memory: '64Mi', limit: '128Mi' },
  }),
}

export const queue: Workload = {
  ...{ namespace, name: 'queue', replicas: 2 },
  container: server('queue', 'registry.example/batch/queue:4.0.0', {
    ...{ cpu: '100m', memory: '64Mi', limit: '128Mi' },
  }),
}

const nightly: Workload = {
  ...{ namespace, name: 'nightly-export', replicas: 1 },
  container: {
    ...{ name: 'export', image: 'registry.example/batch/export:1.1.0' },
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  },
}

/** For everything in the namespace together; a rollout of one Deployment finds room. */
export const mostPods = 8

export const batch: readonly Manifest[] = [
  quota(namespace, 'team', { pods: String(mostPods) }),
  deployment(reports),
  deployment(queue),
  cronJob(nightly, '30 2 * * *'),
  service(namespace, queue.name),
]
