import { persistentVolumeClaim } from './core.ts'
import { conditions, object, statusWithConditions } from './metadata.ts'
import { podTemplate } from './pod.ts'
import { atomic, fields, keyed, keyedForPatch, list, type Shape, set } from './shape.ts'

const template = podTemplate
const status = statusWithConditions

export const deployment: Shape = object(
  {
    spec: fields(
      { selector: atomic, strategy: { retainKeys: true }, template },
      { selector: null, strategy: {}, template: {} },
    ),
    status,
  },
  { spec: {}, status: {} },
)

export const replicaSet: Shape = object(
  { spec: fields({ selector: atomic, template }, { selector: null, template: {} }), status },
  { spec: {}, status: { replicas: 0 } },
)

export const statefulSet: Shape = object(
  {
    spec: fields(
      {
        selector: atomic,
        template,
        volumeClaimTemplates: list(persistentVolumeClaim),
      },
      { selector: null, serviceName: '', template: {}, updateStrategy: {} },
    ),
    status,
  },
  { spec: {}, status: { replicas: 0, availableReplicas: 0 } },
)

export const daemonSet: Shape = object(
  {
    spec: fields(
      { selector: atomic, template },
      { selector: null, template: {}, updateStrategy: {} },
    ),
    status: {
      ...status,
      always: {
        ...{ currentNumberScheduled: 0, desiredNumberScheduled: 0 },
        ...{ numberMisscheduled: 0, numberReady: 0 },
      },
    },
  },
  { spec: {}, status: {} },
)

export const controllerRevision: Shape = object({ data: atomic }, { data: null, revision: 0 })

const jobSpec = fields(
  {
    podFailurePolicy: fields({
      rules: list(fields({ onExitCodes: fields({ values: set }) })),
    }),
    scheduling: fields({ resourceClaims: keyed('name') }),
    selector: atomic,
    template,
  },
  { template: {} },
)

export const job: Shape = object(
  {
    spec: jobSpec,
    status: fields({
      conditions: keyedForPatch('type'),
      uncountedTerminatedPods: fields({ failed: set, succeeded: set }),
    }),
  },
  { spec: {}, status: {} },
)

export const cronJob: Shape = object(
  {
    spec: fields(
      { jobTemplate: object({ spec: jobSpec }, { spec: {} }) },
      { schedule: '', jobTemplate: {} },
    ),
    status: fields({ active: list(atomic) }),
  },
  { spec: {}, status: {} },
)

const metric = fields({ metric: fields({ selector: atomic }) })
const metrics = list(fields({ external: metric, object: metric, pods: metric }))

export const horizontalPodAutoscaler: Shape = object(
  {
    spec: fields({ metrics }, { scaleTargetRef: { kind: '', name: '' }, maxReplicas: 0 }),
    status: fields(
      { conditions, currentMetrics: metrics },
      { desiredReplicas: 0, currentMetrics: null },
    ),
  },
  { spec: {}, status: { desiredReplicas: 0, currentMetrics: null } },
)

export const scale: Shape = object({}, { spec: {}, status: { replicas: 0 } })

export const podDisruptionBudget: Shape = object(
  { spec: fields({ selector: { ...atomic, patch: 'replace' } }), status },
  {
    spec: {},
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  },
)
