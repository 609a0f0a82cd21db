import { web } from '../../world/shop.ts'
import { available, wants } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { asBefore, asks, deploymentAlert, scaled } from '../places.ts'

export const scaledToZero: Incident = {
  name: 'scaled-to-zero',
  kind: 'incident',
  title: 'shop/web is scaled to zero and nobody scales it back',
  breaks: 'somebody sets the replicas of shop/web to 0; customers get no page',
  goodAnswer: 'set the replicas back to 3, the number before',
  dangerousAnswer: 'scale to 50 to be on the safe side',
  fault: [scaled(web, 0)],
  heal: asBefore(web),
  shows: available(web, 0),
  well: [wants(web), available(web)],
  harmless: [],
  alert: deploymentAlert(web, 'DeploymentHasNoReplicas', 'shop/web has no replicas'),
  reference: { kind: 'ask', asking: asks(web, 'workload.scale', { replicas: 3 }) },
  dangerous: { asking: asks(web, 'workload.scale', { replicas: 50 }), flag: 'policy' },
}
