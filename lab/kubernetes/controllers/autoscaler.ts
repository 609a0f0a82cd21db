import { labelSelector, selects } from '@jackstay/contract/label-selector'
import type { ResourceRef } from '@jackstay/kube/resources'
import type { Behaviours } from '../node/behaviour.ts'
import { behavioursOf } from '../node/declared.ts'
import type { KubeObject } from '../objects.ts'
import { at, listAt, numberAt, textAt } from '../resources/columns.ts'
import { type Measured, measured } from './autoscaler-metrics.ts'
import { type Bounds, condition, conditionsWith, limited } from './autoscaler-status.ts'
import { type Controller, keyOf, placeIn, type Reconciling } from './controller.ts'
import { statusWritten } from './status.ts'

const scalers = {
  ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  resource: 'horizontalpodautoscalers',
}
const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', resource: 'configmaps' }
const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' }
const statefulSets = { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' }

type Watched = 'configMaps' | 'deployments' | 'pods' | 'scalers' | 'statefulSets'
type Parts = Reconciling<Watched>

/** How often the load is looked at, and how long a higher one is remembered before going down. */
const [everyMs, steadyMs] = [15_000, 300_000]

interface Recommendation {
  readonly at: number
  readonly replicas: number
}

interface Options {
  readonly behaviours: Behaviours | undefined
  readonly onError: (error: unknown) => void
}

/** Gives workloads as many replicas as the load of their Pods asks for, within bounds. */
export function autoscalerController({ behaviours, onError }: Options): Controller<Watched> {
  const declared = behavioursOf(behaviours, onError)
  const recent = new Map<string, readonly Recommendation[]>()
  return {
    name: 'horizontal-pod-autoscaler',
    watches: {
      scalers: { type: scalers, keys: (scaler) => [keyOf(scaler)] },
      deployments: { type: deployments, keys: () => [] },
      statefulSets: { type: statefulSets, keys: () => [] },
      pods: { type: pods, keys: () => [] },
      configMaps: { type: configMaps, keys: () => [] },
    },
    async reconcile(key, parts) {
      const { namespace, name } = placeIn(key)
      const scaler = parts.caches.scalers.get(namespace, name)
      if (scaler === undefined) {
        recent.delete(key)
        return undefined
      }
      await settle(scaler, parts, declared(parts.caches), (replicas, current) => {
        const now = parts.clock.calendar()
        const known = recent.get(key) ?? [{ at: now, replicas: current }]
        const kept = [
          ...known.filter(({ at: then }) => now - then < steadyMs),
          { at: now, replicas },
        ]
        recent.set(key, kept)
        return Math.max(...kept.map((one) => one.replicas))
      })
      return everyMs
    },
  }
}

/** The highest recommendation of late, this one included. */
type Steadied = (replicas: number, current: number) => number

async function settle(
  scaler: KubeObject,
  parts: Parts,
  behaviours: Behaviours,
  steadied: Steadied,
): Promise<void> {
  const target = targetOf(scaler, parts)
  if (target === undefined) {
    const { kind, name } = scaleTarget(scaler)
    const missing = `${kind.toLowerCase()}s.apps "${name}" not found`
    parts.record(scaler, { type: 'Warning', reason: 'FailedGetScale', message: missing })
    const why = `the HPA controller was unable to get the target's current scale: ${missing}`
    const said = condition('AbleToScale', false, 'FailedGetScale', why)
    await report(scaler, parts, [said], undefined)
    return
  }
  const got = condition(
    ...(['AbleToScale', true, 'SucceededGetScale'] as const),
    "the HPA controller was able to get the target's current scale",
  )
  const current = numberAt(target, 'spec.replicas', 1)
  const bounds = {
    min: numberAt(scaler, 'spec.minReplicas', 1),
    max: numberAt(scaler, 'spec.maxReplicas'),
  }
  if (current === 0 && bounds.min !== 0) {
    const why = 'scaling is disabled since the replica count of the target is zero'
    const off = condition('ScalingActive', false, 'ScalingDisabled', why)
    await report(scaler, parts, [got, off], { current, desired: 0 })
    return
  }
  const beyond = outside(current, bounds)
  if (beyond !== undefined) {
    await scale(scaler, target, current, beyond, parts, { news: [got] })
    return
  }
  const metrics = listAt(scaler, 'spec.metrics').map((metric) =>
    measured(metric, podsOf(target, parts), current, behaviours),
  )
  const failed = metrics.find((one) => 'failed' in one)
  if (failed !== undefined || metrics.length === 0) {
    const { reason = 'FailedGetResourceMetric', failed: why = 'no metrics' } = failed ?? {}
    const message = `the HPA was unable to compute the replica count: ${why}`
    const off = condition('ScalingActive', false, reason, message)
    parts.record(scaler, { type: 'Warning', reason, message: why })
    await report(scaler, parts, [got, off], { current, desired: current })
    return
  }
  await follow(scaler, target, { current, bounds, metrics, steadied, got }, parts)
}

interface Following {
  readonly current: number
  readonly bounds: Bounds
  readonly metrics: readonly Measured[]
  readonly steadied: Steadied
  readonly got: ReturnType<typeof condition>
}

async function follow(
  scaler: KubeObject,
  target: KubeObject,
  { current, bounds, metrics, steadied, got }: Following,
  parts: Parts,
): Promise<void> {
  const found = metrics.flatMap((one) => ('failed' in one ? [] : [one]))
  const most = Math.max(...found.map(({ replicas }) => replicas))
  const words = found.find(({ replicas }) => replicas === most)?.words ?? ''
  const active = condition(
    ...(['ScalingActive', true, 'ValidMetricFound'] as const),
    `the HPA was able to successfully calculate a replica count from ${words}`,
  )
  const recommended = steadied(most, current)
  const steady =
    recommended === most
      ? condition(
          ...(['AbleToScale', true, 'ReadyForNewScale'] as const),
          'recommended size matches current size',
        )
      : condition(
          ...(['AbleToScale', true, 'ScaleDownStabilized'] as const),
          'recent recommendations were higher than current one, applying the highest recent recommendation',
        )
  const { desired, limit } = limited(recommended, current, bounds)
  await scale(scaler, target, current, desired, parts, {
    news: [got, active, steady, limit],
    metrics: found.map((one) => one.current),
  })
}

function outside(current: number, { min, max }: Bounds): number | undefined {
  if (current > max) return max
  return current < min ? min : undefined
}

interface Scaling {
  readonly news: readonly ReturnType<typeof condition>[]
  readonly metrics?: readonly object[]
}

async function scale(
  scaler: KubeObject,
  target: KubeObject,
  current: number,
  desired: number,
  parts: Parts,
  { news, metrics }: Scaling,
): Promise<void> {
  if (desired === current) {
    await report(scaler, parts, news, { current, desired, metrics })
    return
  }
  const { client, signal } = parts
  const of = refOf(target)
  const path = `/apis/apps/v1/namespaces/${of.namespace}/${of.resource}/${of.name}/scale`
  const shown = await client.get(of, { subresource: 'scale', signal })
  const body = { ...shown, spec: { replicas: desired } }
  const put = await client.request({ method: 'PUT', path, body, signal })
  if (put.status >= 300) throw new Error(`\`${of.name}\` was not scaled: ${put.status}`)
  const way = desired > current ? 'above' : 'below'
  const why =
    metrics === undefined
      ? 'the current number is outside of the bounds'
      : `cpu resource utilization (percentage of request) ${way} target`
  const message = `New size: ${desired}; reason: ${why}`
  parts.record(scaler, { type: 'Normal', reason: 'SuccessfulRescale', message })
  const done = condition(
    ...(['AbleToScale', true, 'SucceededRescale'] as const),
    `the HPA controller was able to update the target scale to ${desired}`,
  )
  const lastScaleTime = parts.clock.of(scaler).stamp('scale')
  await report(scaler, parts, [...news, done], { current, desired, metrics, lastScaleTime })
}

interface Figures {
  readonly current?: number
  readonly desired?: number
  readonly metrics?: readonly object[] | undefined
  readonly lastScaleTime?: string
}

async function report(
  scaler: KubeObject,
  { client, clock, signal }: Parts,
  news: readonly ReturnType<typeof condition>[],
  figures: Figures | undefined,
): Promise<void> {
  const { current = 0, desired = 0, metrics, lastScaleTime } = figures ?? {}
  const seen = at(scaler, 'status.observedGeneration')
  const known = textAt(scaler, 'status.lastScaleTime')
  // of what it does not find it has seen nothing
  const observedGeneration = figures === undefined ? seen : scaler.metadata.generation
  const shown = metrics ?? at(scaler, 'status.currentMetrics') ?? null
  const scaledAt = lastScaleTime ?? known
  const status = {
    ...(observedGeneration !== undefined && { observedGeneration }),
    ...(scaledAt !== '' && { lastScaleTime: scaledAt }),
    ...(current !== 0 && { currentReplicas: current }),
    desiredReplicas: desired,
    currentMetrics: shown,
    conditions: conditionsWith(scaler, news, clock.of(scaler)),
  }
  await statusWritten({ client, signal }, scalers, scaler, status)
}

function scaleTarget(scaler: KubeObject) {
  const of = (field: string) => textAt(scaler, `spec.scaleTargetRef.${field}`)
  return { kind: of('kind'), name: of('name') }
}

function targetOf(scaler: KubeObject, { caches }: Parts): KubeObject | undefined {
  const { kind, name } = scaleTarget(scaler)
  const { namespace } = scaler.metadata
  if (kind === 'Deployment') return caches.deployments.get(namespace, name)
  return kind === 'StatefulSet' ? caches.statefulSets.get(namespace, name) : undefined
}

function refOf({ kind, metadata: { namespace = '', name = '' } }: KubeObject): ResourceRef {
  return { ...(kind === 'StatefulSet' ? statefulSets : deployments), namespace, name }
}

function podsOf(target: KubeObject, { caches }: Parts): readonly KubeObject[] {
  const selector = labelSelector.safeParse(at(target, 'spec.selector')).data
  return [...caches.pods.values()].filter(
    ({ metadata }) =>
      metadata.namespace === target.metadata.namespace &&
      selector !== undefined &&
      selects(selector, metadata.labels ?? {}),
  )
}
