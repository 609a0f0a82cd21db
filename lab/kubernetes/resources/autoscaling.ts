import type { KubeObject } from '../objects.ts'
import { column, listAt, numberAt, textAt } from './columns.ts'
import { autoscalerSpec } from './defaults.ts'
import { inGroup, withSpec } from './describe.ts'
import type { Resource } from './resource.ts'

/** Such as `cpu: 40%/80%`, one for each metric. */
function targets(hpa: KubeObject): string {
  const current = listAt(hpa, 'status.currentMetrics')
  const shown = listAt(hpa, 'spec.metrics').map((metric, i) => {
    const name = textAt(metric, 'resource.name')
    const wanted = textAt(metric, 'resource.target.averageUtilization')
    const now = textAt(current[i], 'resource.current.averageUtilization')
    return `${name}: ${now === '' ? '<unknown>' : `${now}%`}/${wanted}%`
  })
  return shown.join(', ') || '<none>'
}

/** What scales workloads. */
export const autoscalingKinds: readonly Resource[] = [
  inGroup('autoscaling', 'v2')('HorizontalPodAutoscaler', {
    strategy: withSpec(autoscalerSpec, { desiredReplicas: 0, currentMetrics: null }),
    categories: ['all'],
    shortNames: ['hpa'],
    generation: true,
    subresources: ['status'],
    columns: [
      column(
        'Reference',
        (hpa) =>
          `${textAt(hpa, 'spec.scaleTargetRef.kind')}/${textAt(hpa, 'spec.scaleTargetRef.name')}`,
      ),
      column('Targets', targets),
      column('MinPods', (hpa) => textAt(hpa, 'spec.minReplicas', '<unset>')),
      column('MaxPods', (hpa) => numberAt(hpa, 'spec.maxReplicas'), { type: 'integer' }),
      column('Replicas', (hpa) => numberAt(hpa, 'status.currentReplicas'), { type: 'integer' }),
    ],
  }),
]
