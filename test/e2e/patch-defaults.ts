import { isRecord, type KubeObject } from '@jackstay/kube/resources'

type JsonMap = Readonly<Record<string, unknown>>

/**
 * What the API server fills in into the objects of these tests: patches and managed fields are what is
 * compared, defaults are somebody else's.
 */
export function withDefaults(object: KubeObject): KubeObject {
  const { spec, kind } = object
  if (kind === 'Pod' && isRecord(spec)) return { ...object, spec: podSpec(spec) }
  if (kind === 'Service' && isRecord(spec)) return { ...object, spec: serviceSpec(spec) }
  if (kind === 'House' && isRecord(spec)) return { ...object, spec: houseSpec(spec) }
  if (kind !== 'Deployment' || !isRecord(spec)) return object
  const template = isRecord(spec.template) ? spec.template : {}
  const inner = isRecord(template.spec) ? podSpec(template.spec) : template.spec
  return {
    ...object,
    spec: {
      ...{ progressDeadlineSeconds: 600, replicas: 1, revisionHistoryLimit: 10 },
      ...spec,
      strategy: strategy(spec.strategy),
      template: { ...template, spec: inner },
    },
  }
}

function strategy(given: unknown): JsonMap {
  const one = isRecord(given) ? given : {}
  const type = one.type ?? 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...one, type }
  const rolling = isRecord(one.rollingUpdate) ? one.rollingUpdate : {}
  return { ...one, type, rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%', ...rolling } }
}

function podSpec(spec: JsonMap): JsonMap {
  return {
    ...{ dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' },
    ...{ securityContext: {}, terminationGracePeriodSeconds: 30 },
    ...spec,
    containers: maps(spec.containers).map(container),
    ...(spec.volumes !== undefined && { volumes: maps(spec.volumes).map(volume) }),
  }
}

function container(one: JsonMap): JsonMap {
  const image = String(one.image ?? '')
  const isLatest = !image.includes(':') || image.endsWith(':latest')
  return {
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    ...{ resources: {}, terminationMessagePath: '/dev/termination-log' },
    terminationMessagePolicy: 'File',
    ...one,
    ...(one.ports !== undefined && {
      ports: maps(one.ports).map((port) => ({ protocol: 'TCP', ...port })),
    }),
    ...(one.env !== undefined && { env: maps(one.env).map(variable) }),
  }
}

function variable(one: JsonMap): JsonMap {
  if (!isRecord(one.valueFrom) || !isRecord(one.valueFrom.fieldRef)) return one
  return { ...one, valueFrom: { fieldRef: { apiVersion: 'v1', ...one.valueFrom.fieldRef } } }
}

function volume(one: JsonMap): JsonMap {
  const sources = ['configMap', 'projected', 'secret', 'downwardAPI']
  const modes = sources.flatMap((key) => {
    const source = one[key]
    return isRecord(source) ? [[key, { defaultMode: 420, ...source }] as const] : []
  })
  const keys = Object.keys(one).filter((key) => key !== 'name')
  return { ...one, ...Object.fromEntries(modes), ...(keys.length === 0 && { emptyDir: {} }) }
}

function houseSpec(spec: JsonMap): JsonMap {
  if (spec.rooms === undefined) return spec
  return { ...spec, rooms: maps(spec.rooms).map((room) => ({ floor: 1, ...room })) }
}

function serviceSpec(spec: JsonMap): JsonMap {
  const ports = maps(spec.ports).map((port) => ({
    ...{ protocol: 'TCP', targetPort: port.port },
    ...port,
  }))
  return {
    ...{ clusterIPs: ['None'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
    ...{ internalTrafficPolicy: 'Cluster', sessionAffinity: 'None', type: 'ClusterIP' },
    ...spec,
    ports,
  }
}

function maps(value: unknown): readonly JsonMap[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}
