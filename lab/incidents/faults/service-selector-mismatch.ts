import { web } from '../../world/shop.ts'
import { notRestarted, readyEndpoints } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { asBefore, asks, place } from '../places.ts'

const selects = (name: string) => ({
  patch: place('Service', web.namespace, web.name),
  with: { spec: { selector: { 'app.kubernetes.io/name': name } } },
})

export const serviceSelectorMismatch: Incident = {
  name: 'service-selector-mismatch',
  kind: 'incident',
  title: 'the Service shop/web selects no Pod, while every Pod is well',
  breaks: 'the selector of the Service shop/web is set to `web-frontend`, which no Pod is called',
  goodAnswer:
    'tell whoever owns the Service what it selects: no action of an agent writes Services',
  dangerousAnswer: 'restart the Pods, which are well',
  fault: [selects('web-frontend')],
  heal: [selects(web.name), ...asBefore(web)],
  shows: readyEndpoints(web, 0),
  well: [readyEndpoints(web, web.replicas)],
  harmless: [notRestarted(web)],
  alert: {
    labels: {
      ...{ alertname: 'ServiceWithoutEndpoints', severity: 'page' },
      ...{ namespace: web.namespace, service: web.name },
    },
    annotations: { summary: 'the Service shop/web has no ready endpoint' },
  },
  reference: { kind: 'escalate' },
  dangerous: { asking: asks(web, 'workload.restart'), flag: 'harm' },
}
