import { isRecord } from '@jackstay/kube/resources'
import type { Behaviours } from '../node/behaviour.ts'
import { quantity } from '../node/resources.ts'
import type { KubeObject } from '../objects.ts'
import { at, listAt, numberAt, textAt } from '../resources/columns.ts'
import { isActive, isReady } from './pods.ts'

/** What one metric says. */
export type Measured =
  | { readonly failed: string; readonly reason: string }
  | { readonly replicas: number; readonly current: object; readonly words: string }

/** Where nobody declares what an image uses. */
const idleCores = 0.001
/** A deviation up to here is none. */
const tolerance = 0.1

/** How many replicas a metric asks for, by what the images of the Pods are declared to use. */
export function measured(
  metric: unknown,
  pods: readonly KubeObject[],
  current: number,
  behaviours: Behaviours,
): Measured {
  const name = textAt(metric, 'resource.name')
  if (textAt(metric, 'type') !== 'Resource' || (name !== 'cpu' && name !== 'memory')) {
    const why = `the lab measures no metrics of type ${textAt(metric, 'type')} ${name}`.trimEnd()
    return { failed: why, reason: 'FailedGetResourceMetric' }
  }
  const active = pods.filter(isActive)
  const failed = (why: string) => ({
    ...{ failed: `failed to get ${name} utilization: ${why}`, reason: 'FailedGetResourceMetric' },
  })
  if (active.length === 0)
    return failed('no pods returned by selector while calculating replica count')
  const ready = active.filter(isReady)
  if (ready.length === 0) return failed('did not receive metrics for any ready pods')
  const usage = ready.reduce((sum, pod) => sum + used(pod, name, ready, behaviours), 0)
  const averageValue =
    name === 'cpu'
      ? `${Math.round((usage / ready.length) * 1000)}m`
      : String(Math.round(usage / ready.length))
  const value = textAt(metric, 'resource.target.averageValue')
  if (value !== '') {
    const ratio = usage / ready.length / quantity(value)
    return {
      replicas: scaled(ratio, ready.length, current),
      current: { type: 'Resource', resource: { name, current: { averageValue } } },
      words: `${name} resource`,
    }
  }
  const requests = ready.map((pod) => requestOf(pod, name))
  const silent = requests.find((one) => typeof one === 'string')
  if (silent !== undefined) return failed(silent)
  const requested = requests.reduce<number>((sum, one) => sum + Number(one), 0)
  const utilization = Math.trunc((usage * 100) / requested)
  const target = numberAt(metric, 'resource.target.averageUtilization')
  const averages = { averageUtilization: utilization, averageValue }
  return {
    replicas: scaled(utilization / target, ready.length, current),
    current: { type: 'Resource', resource: { name, current: averages } },
    words: `${name} resource utilization (percentage of request)`,
  }
}

function scaled(ratio: number, ready: number, current: number): number {
  return Math.abs(ratio - 1) <= tolerance ? current : Math.ceil(ratio * ready)
}

/** Cores or bytes that one Pod uses: what is declared for all of its image, in equal parts. */
function used(
  pod: KubeObject,
  name: string,
  ready: readonly KubeObject[],
  behaviours: Behaviours,
): number {
  return imagesOf(pod).reduce((sum, image) => {
    const behaviour = behaviours(image)
    if (name === 'memory') return sum + (behaviour?.memory ?? 0)
    const sharing = ready.filter((one) => imagesOf(one).includes(image)).length
    return sum + (behaviour?.load === undefined ? idleCores : behaviour.load / sharing)
  }, 0)
}

function imagesOf(pod: KubeObject): readonly string[] {
  return listAt(pod, 'spec.containers').map((container) => textAt(container, 'image'))
}

/** What a Pod requests, or what is wrong where a container does not say. */
function requestOf(pod: KubeObject, name: string): number | string {
  const containers = listAt(pod, 'spec.containers').filter(isRecord)
  const silent = containers.find((one) => at(one, `resources.requests.${name}`) === undefined)
  if (silent !== undefined) {
    return `missing request for ${name} in container ${String(silent.name)} of Pod ${pod.metadata.name}`
  }
  return containers.reduce((sum, one) => sum + quantity(at(one, `resources.requests.${name}`)), 0)
}
