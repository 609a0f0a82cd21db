import { isRecord } from '@jackstay/kube/resources'

type Fields = Readonly<Record<string, unknown>>

/** The fields, with those of `defaults` that nobody gave. */
export function given(fields: unknown, defaults: Fields): Fields {
  return { ...defaults, ...(isRecord(fields) ? fields : {}) }
}

function each(list: unknown, change: (item: Fields) => Fields): unknown {
  return Array.isArray(list) ? list.map((item) => (isRecord(item) ? change(item) : item)) : list
}

function present(
  fields: Fields,
  changes: Readonly<Record<string, (value: unknown) => unknown>>,
): Fields {
  const changed = Object.entries(changes).flatMap(([name, change]) =>
    fields[name] === undefined ? [] : [[name, change(fields[name])] as const],
  )
  return { ...fields, ...Object.fromEntries(changed) }
}

/** A spec of Pods as a real server fills it in. */
export function podSpec(spec: unknown): Fields {
  const filled = given(spec, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  })
  return present(filled, {
    containers: (list) => each(list, container),
    initContainers: (list) => each(list, container),
    volumes: (list) => each(list, volume),
  })
}

function container(fields: Fields): Fields {
  const image = typeof fields.image === 'string' ? fields.image : ''
  const filled = given(fields, {
    imagePullPolicy: isLatest(image) ? 'Always' : 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  })
  return present(filled, {
    ports: (list) => each(list, (port) => given(port, { protocol: 'TCP' })),
    env: (list) => each(list, variable),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
  })
}

/** Of an image without a tag or a digest the newest is meant. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false
  const [, tag = 'latest'] = /:([^/:]+)$/.exec(image) ?? []
  return tag === 'latest'
}

function variable(fields: Fields): Fields {
  return present(fields, {
    valueFrom: (from) =>
      present(given(from, {}), { fieldRef: (ref) => given(ref, { apiVersion: 'v1' }) }),
  })
}

function probe(fields: unknown): Fields {
  const numbers = { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1 }
  return present(given(fields, numbers), {
    httpGet: (action) => given(action, { path: '/', scheme: 'HTTP' }),
    grpc: (action) => given(action, { service: '' }),
  })
}

/** Of a Pod itself: what is limited and not requested is requested as it is limited. */
export function podItself(spec: unknown): Fields {
  const requested = (list: unknown) =>
    each(list, (one) => present(one, { resources: requestsOfLimits }))
  return present(podSpec(spec), { containers: requested, initContainers: requested })
}

function requestsOfLimits(fields: unknown): Fields {
  const resources = given(fields, {})
  if (!isRecord(resources.limits)) return resources
  return { ...resources, requests: given(resources.requests, resources.limits) }
}

function volume(fields: Fields): Fields {
  const mode = (source: unknown) => given(source, { defaultMode: 420 })
  return present(fields, { configMap: mode, secret: mode, projected: mode, downwardAPI: mode })
}

/** The template of a workload. */
export function template(fields: unknown): Fields {
  const filled = given(fields, {})
  return { ...filled, metadata: given(filled.metadata, {}), spec: podSpec(filled.spec) }
}

const rolling = { maxSurge: '25%', maxUnavailable: '25%' }

export function deploymentSpec(spec: unknown): Fields {
  const filled = given(spec, {
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    strategy: {},
  })
  const strategy = given(filled.strategy, { type: 'RollingUpdate' })
  const full =
    strategy.type === 'RollingUpdate'
      ? { ...strategy, rollingUpdate: given(strategy.rollingUpdate, rolling) }
      : strategy
  return { ...filled, strategy: full, template: template(filled.template) }
}

export function replicaSetSpec(spec: unknown): Fields {
  const filled = given(spec, { replicas: 1 })
  return { ...filled, template: template(filled.template) }
}

export function statefulSetSpec(spec: unknown): Fields {
  const filled = given(spec, {
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
    updateStrategy: {},
  })
  const update = given(filled.updateStrategy, { type: 'RollingUpdate' })
  const full =
    update.type === 'RollingUpdate'
      ? {
          ...update,
          rollingUpdate: given(update.rollingUpdate, { maxUnavailable: 1, partition: 0 }),
        }
      : update
  return { ...filled, updateStrategy: full, template: template(filled.template) }
}

export function daemonSetSpec(spec: unknown): Fields {
  const filled = given(spec, { revisionHistoryLimit: 10, updateStrategy: {} })
  const update = given(filled.updateStrategy, { type: 'RollingUpdate' })
  const numbers = { maxSurge: 0, maxUnavailable: 1 }
  const full =
    update.type === 'RollingUpdate'
      ? { ...update, rollingUpdate: given(update.rollingUpdate, numbers) }
      : update
  return { ...filled, updateStrategy: full, template: template(filled.template) }
}

/** Of a Job; selector and labels are told by its uid, unless whoever wrote it cares for them himself. */
export function jobSpec(spec: unknown, name: string, uid: string): Fields {
  const filled = jobFields(spec)
  const own = { 'batch.kubernetes.io/controller-uid': uid }
  if (filled.manualSelector === true || filled.selector !== undefined) return filled
  const { metadata, ...rest } = template(filled.template)
  const fields = given(metadata, {})
  const labels = given(fields.labels, {
    ...own,
    ...{ 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, 'job-name': name },
  })
  const selector = { matchLabels: own }
  return { ...filled, selector, template: { ...rest, metadata: { ...fields, labels } } }
}

function jobFields(spec: unknown): Fields {
  const fields = given(spec, {})
  const isCounted = fields.completions !== undefined || fields.parallelism !== undefined
  const filled = given(fields, {
    ...(!isCounted && { completions: 1 }),
    ...{ parallelism: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false },
    manualSelector: false,
    podReplacementPolicy: isRecord(fields.podFailurePolicy) ? 'Failed' : 'TerminatingOrFailed',
  })
  return { ...filled, template: template(filled.template) }
}

export function cronJobSpec(spec: unknown): Fields {
  const filled = given(spec, {
    concurrencyPolicy: 'Allow',
    ...{ failedJobsHistoryLimit: 1, successfulJobsHistoryLimit: 3, suspend: false },
  })
  const { metadata, ...jobTemplate } = given(filled.jobTemplate, {})
  const fields = given(jobTemplate.spec, {})
  const job = { ...fields, template: template(fields.template) }
  return { ...filled, jobTemplate: { metadata: given(metadata, {}), spec: job } }
}

export function autoscalerSpec(spec: unknown): Fields {
  const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } }
  return given(spec, { minReplicas: 1, metrics: [{ type: 'Resource', resource: cpu }] })
}
