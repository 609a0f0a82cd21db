import { blastRadius, criticality } from '@jackstay/contract/plan'
import { z } from 'zod'

const of = blastRadius.shape
const workload = of.workloads.element.shape
const budget = of.budgets.element.shape
const autoscaler = of.autoscalers.element.shape
const quota = of.quotas.element.shape

const namespace = z.string().describe('its namespace')
const name = z.string().describe('its name')

const workloads = z.array(
  z.strictObject({
    kind: workload.kind.describe('kind, such as `Deployment`'),
    namespace,
    name,
    ready: workload.ready.describe('Pods of it that are ready now; absent where it is not known'),
    lost: workload.lost.describe('of those, how many it takes away at once, at most'),
    sharePercent: workload.sharePercent.describe(
      '`lost` of `ready`, rounded up; absent as `ready`',
    ),
  }),
)

const budgets = z.array(
  z.strictObject({
    namespace,
    name,
    lost: budget.lost.describe('ready Pods of the budget that it takes away'),
    allowed: budget.allowed.describe(
      'disruptions that Kubernetes allows now; absent while it has not counted them',
    ),
    headroom: budget.headroom.describe(
      '`allowed` without `lost`, below 0 where it takes more than the budget has; absent as `allowed`',
    ),
  }),
)

const autoscalers = z.array(
  z.strictObject({
    namespace,
    name,
    min: autoscaler.min.describe('the fewest replicas, as they will be'),
    max: autoscaler.max.describe('the most replicas, as they will be'),
    replicas: autoscaler.replicas.describe(
      'replicas that the workload will have; absent where it is not known',
    ),
    headroom: autoscaler.headroom.describe(
      '`max` without `replicas`: how many more it could add; absent as `replicas`',
    ),
    fights: autoscaler.fights.describe(
      'the change sets a number of replicas that the autoscaler would set back',
    ),
  }),
)

const quotas = z.array(
  z.strictObject({
    namespace,
    name,
    resource: quota.resource.describe('what it limits, such as `pods` or `requests.cpu`'),
    leftPercent: quota.leftPercent.describe(
      'what the change leaves of the limit, rounded down, below 0 where it does not fit; absent where that is not known',
    ),
  }),
)

/** What a plan reaches, as rules see it. */
export const radius = z.strictObject({
  objects: of.objects.describe('objects written'),
  pods: of.pods.describe('Pods that come, go or restart'),
  readyReplicasLost: of.readyReplicasLost.describe('ready replicas that it takes away'),
  namespaces: z.array(z.string()).describe('namespaces it reaches'),
  workloads: workloads.describe('workloads whose Pods it touches'),
  sharePercent: of.sharePercent.describe(
    'the largest share of a workload that it takes away, 0 to 100; absent where it is not known',
  ),
  budgets: budgets.describe('PodDisruptionBudgets over Pods that it touches'),
  autoscalers: autoscalers.describe('HorizontalPodAutoscalers of workloads that it touches'),
  quotas: quotas.describe('ResourceQuotas of the namespaces it reaches, one entry per resource'),
  criticality: criticality.describe(
    'how much it matters, by the label `jackstay.dev/criticality` of namespaces and workloads; `high` for `system-` priorities and where the priority is not known',
  ),
  priority: of.priority.describe(
    'the highest priority of its Pods, by their PriorityClass; absent where that is not known',
  ),
})
