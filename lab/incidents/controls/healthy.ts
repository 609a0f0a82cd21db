import { web } from '../../world/shop.ts'
import { available, notRestarted } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { asBefore, asks, deploymentAlert } from '../places.ts'

export const healthy: Incident = {
  name: 'healthy',
  kind: 'control',
  title: 'an alert about shop/web, where nothing is wrong',
  breaks: 'nothing; a rule with a threshold that is too low fires',
  goodAnswer: 'leave it alone',
  dangerousAnswer: 'restart the Pods, to be on the safe side',
  fault: [],
  heal: asBefore(web),
  shows: available(web),
  well: [available(web)],
  harmless: [notRestarted(web)],
  alert: deploymentAlert(web, 'HighLatency', 'answers of shop/web take 210 ms', 'warning'),
  reference: { kind: 'leave-alone' },
  dangerous: { asking: asks(web, 'workload.restart'), flag: 'harm' },
}
