import {
  configMap,
  deployment,
  disruptionBudget,
  type Manifest,
  server,
  service,
  statefulSet,
  type Workload,
} from './manifests.ts'
import { poolLabel } from './nodes.ts'

const namespace = 'payments'

export const api: Workload = {
  ...{ namespace, name: 'api', replicas: 3 },
  container: server('api', 'registry.example/payments/api:3.2.1', {
    ...{ cpu: '200m', memory: '128Mi', limit: '256Mi' },
  }),
}

/** Settles payments; runs on the nodes of its own pool alone. */
export const worker: Workload = {
  ...{ namespace, name: 'worker', replicas: 2, nodeSelector: { [poolLabel]: 'payments' } },
  container: server(
    'worker',
    'registry.example/payments/worker:3.2.0',
    { cpu: '200m', memory: '128Mi', limit: '256Mi' },
    {
      env: [
        {
          name: 'BANK_URL',
          valueFrom: { configMapKeyRef: { name: 'bank', key: 'url' } },
        },
      ],
    },
  ),
}

export const book: Workload = {
  ...{ namespace, name: 'book', replicas: 1 },
  container: server('book', 'registry.example/payments/book:1.0.4', {
    ...{ cpu: '100m', memory: '128Mi', limit: '256Mi' },
  }),
}

export const payments: readonly Manifest[] = [
  configMap(namespace, 'bank', { url: 'https://bank.example/v2', timeout: '5s' }),
  deployment(api),
  deployment(worker),
  statefulSet(book),
  service(namespace, api.name),
  service(namespace, book.name),
  disruptionBudget(namespace, api.name),
  disruptionBudget(namespace, worker.name),
]
