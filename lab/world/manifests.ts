/** Builders of what the lab's world consists of: small, and as somebody would have written it. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec?: unknown
}

/** A container of the world: everything an incident may change is said. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly env?: readonly object[]
  readonly ports?: readonly object[]
  readonly readinessProbe?: object
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>
    readonly limits: Readonly<Record<string, string>>
  }
}

export interface Workload {
  readonly namespace: string
  readonly name: string
  readonly replicas: number
  readonly container: Container
  readonly nodeSelector?: Readonly<Record<string, string>>
  /** Left to an autoscaler. */
  readonly autoscaled?: boolean
}

const labelsOf = (name: string) => ({ 'app.kubernetes.io/name': name })

/** A server that answers `/healthz` at 8080. */
export function server(
  name: string,
  image: string,
  amounts: { readonly cpu: string; readonly memory: string; readonly limit: string },
  more: Partial<Container> = {},
): Container {
  const { cpu, memory, limit } = amounts
  return {
    ...{ name, image, ports: [{ name: 'http', containerPort: 8080 }] },
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 2 },
    resources: { requests: { cpu, memory }, limits: { memory: limit } },
    ...more,
  }
}

function podSpec({ container, nodeSelector }: Workload): object {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 5,
    ...(nodeSelector && { nodeSelector }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container],
  }
}

/** How long a rollout may stand still, in seconds. */
const progressDeadlineSeconds = 60

export function deployment(workload: Workload): Manifest {
  const { namespace, name, replicas, autoscaled } = workload
  const labels = labelsOf(name)
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name, namespace, labels },
    spec: {
      ...(autoscaled !== true && { replicas }),
      progressDeadlineSeconds,
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels }, spec: podSpec(workload) },
    },
  }
}

export function statefulSet(workload: Workload): Manifest {
  const { namespace, name, replicas } = workload
  const labels = labelsOf(name)
  return {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
    metadata: { name, namespace, labels },
    spec: {
      ...{ replicas, serviceName: name, selector: { matchLabels: labels } },
      template: { metadata: { labels }, spec: podSpec(workload) },
    },
  }
}

export function cronJob(workload: Workload, schedule: string): Manifest {
  const { namespace, name } = workload
  const labels = labelsOf(name)
  const spec = { ...podSpec(workload), restartPolicy: 'Never' }
  return {
    ...{ apiVersion: 'batch/v1', kind: 'CronJob' },
    metadata: { name, namespace, labels },
    spec: {
      ...{ schedule, concurrencyPolicy: 'Forbid', successfulJobsHistoryLimit: 1 },
      jobTemplate: { spec: { backoffLimit: 2, template: { metadata: { labels }, spec } } },
    },
  }
}

export function service(namespace: string, name: string): Manifest {
  return {
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { name, namespace, labels: labelsOf(name) },
    spec: { selector: labelsOf(name), ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  }
}

export function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

/** Keeps all but one of a workload's Pods in place. */
export function disruptionBudget(namespace: string, name: string): Manifest {
  return {
    ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
    metadata: { name, namespace },
    spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(name) } },
  }
}

export function quota(
  namespace: string,
  name: string,
  hard: Readonly<Record<string, string>>,
): Manifest {
  return {
    ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name, namespace } },
    spec: { hard },
  }
}

export function autoscaler(
  namespace: string,
  name: string,
  bounds: { readonly minReplicas: number; readonly maxReplicas: number },
): Manifest {
  const target = { type: 'Utilization', averageUtilization: 80 }
  return {
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
    metadata: { name, namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      ...bounds,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
    },
  }
}

export function namespace(name: string, labels: Readonly<Record<string, string>>): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}
