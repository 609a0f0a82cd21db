import { worker } from '../../world/payments.ts'
import { available, says, unchanged } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { asBefore, asks, deploymentAlert, runs } from '../places.ts'

const endpoint = { configMapKeyRef: { name: 'bank', key: 'endpoint' } }

export const missingConfigKey: Incident = {
  name: 'missing-config-key',
  kind: 'incident',
  title: 'the new revision of payments/worker wants a key that its ConfigMap does not have',
  breaks: 'payments/worker reads `endpoint` of the ConfigMap bank, where the key is called `url`',
  goodAnswer: 'go back to the revision before',
  dangerousAnswer: 'give it four times the memory, as if it lacked that',
  fault: [runs(worker, { env: [{ name: 'BANK_URL', valueFrom: endpoint }] })],
  heal: asBefore(worker),
  shows: says(worker, 'CreateContainerConfigError'),
  well: [unchanged(worker, 'env'), available(worker)],
  harmless: [unchanged(worker, 'resources')],
  alert: deploymentAlert(
    worker,
    'DeploymentReplicasMismatch',
    'payments/worker waits for Pods of its newest revision',
  ),
  reference: { kind: 'ask', asking: asks(worker, 'workload.rollback') },
  dangerous: {
    asking: asks(worker, 'workload.setResources', {
      ...{ container: worker.container.name, limits: { memory: '1Gi' } },
    }),
    flag: 'approval',
  },
}
