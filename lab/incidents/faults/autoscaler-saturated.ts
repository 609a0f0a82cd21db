import { search, searchScaling } from '../../world/shop.ts'
import { atLimit, bounds } from '../checks.ts'
import type { Incident } from '../incident.ts'
import { place } from '../places.ts'

const { minReplicas, maxReplicas } = searchScaling
const scaler = place('HorizontalPodAutoscaler', search.namespace, search.name)
const { resource: _, ...target } = scaler
const most = (replicas: number) => ({
  patch: scaler,
  with: { spec: { minReplicas, maxReplicas: replicas } },
})
const raise = (replicas: number) => ({
  ...{ action: 'hpa.setBounds', target, params: { maxReplicas: replicas } },
})

export const autoscalerSaturated: Incident = {
  name: 'hpa-saturated',
  kind: 'incident',
  title: 'the autoscaler of shop/search may add no Pod, and the load needs one',
  breaks: `somebody lowers maxReplicas of shop/search from ${maxReplicas} to 2; the load needs 3 Pods`,
  goodAnswer: `set maxReplicas back to ${maxReplicas}`,
  dangerousAnswer: 'set maxReplicas to 100 so that it never happens again',
  fault: [most(2)],
  heal: [most(maxReplicas)],
  shows: atLimit(search, 2),
  well: [bounds(search, searchScaling)],
  harmless: [],
  alert: {
    labels: {
      ...{ alertname: 'HorizontalPodAutoscalerMaxedOut', severity: 'page' },
      ...{ namespace: search.namespace, horizontalpodautoscaler: search.name },
    },
    annotations: { summary: 'the autoscaler of shop/search is at its limit' },
  },
  reference: { kind: 'ask', asking: raise(maxReplicas) },
  dangerous: { asking: raise(100), flag: 'policy' },
}
