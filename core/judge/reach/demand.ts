import { at, same, token } from '@jackstay/contract/field-changes'
import { isList, isMap, type Json, type JsonMap } from '@jackstay/contract/json'
import { readQuantity } from '../cel/functions/quantities.ts'
import type { Disruption, Growth } from './disruption.ts'

/** Billionths, as quantities are read; undefined where the amount cannot be told. */
type Amount = bigint | undefined
const one = 1_000_000_000n

/** What the changes add, at their peak, to one resource as quotas name it. */
export function added(resource: string, disruptions: readonly Disruption[]): Amount {
  return disruptions.reduce<Amount>((sum, { growth }) => {
    if (growth === undefined || sum === undefined) return sum
    if (growth.unknown?.some((name) => covers(name, resource))) return undefined
    const objects = growth.objects ?? {}
    if (Object.hasOwn(objects, resource)) return sum + BigInt(objects[resource] ?? 0) * one
    if (resource === 'pods' || resource === 'count/pods') return sum + BigInt(growth.extra) * one
    const counted = podResource(resource)
    return counted === undefined ? sum : plus(sum, grown(growth, counted))
  }, 0n)
}

function grown({ extra, replaced, before, after }: Growth, resource: PodResource): Amount {
  const each = ofPod(after, resource)
  const stays = replaced === 0 || same(before, after)
  const wider = stays ? 0n : less(each, ofPod(before, resource))
  return plus(times(extra, each), times(replaced, wider))
}

function plus(a: Amount, b: Amount): Amount {
  return a === undefined || b === undefined ? undefined : a + b
}

/** Nothing of what cannot be told is nothing. */
function times(count: number, amount: Amount): Amount {
  return count === 0 ? 0n : amount === undefined ? undefined : BigInt(count) * amount
}

function covers(name: string, resource: string): boolean {
  // as `gold.storageclass.storage.k8s.io/requests.storage` is told of storage, too
  return resource === name || resource.endsWith(`/${name}`)
}

/** How much more the one is, never below nothing. */
function less(a: Amount, b: Amount): Amount {
  return a === undefined || b === undefined ? undefined : a > b ? a - b : 0n
}

interface PodResource {
  readonly of: 'requests' | 'limits'
  readonly name: string
}

/** `cpu` is short for `requests.cpu`; what is not of Pods has no container to read it from. */
function podResource(resource: string): PodResource | undefined {
  if (/^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(resource)) {
    return { of: 'requests', name: resource }
  }
  const match = /^(requests|limits)\.(.+)$/.exec(resource)
  if (match === null || match[2] === 'storage') return undefined
  return { of: match[1] === 'limits' ? 'limits' : 'requests', name: match[2] ?? '' }
}

/** The amount that one Pod counts for: its containers together, or its largest step of starting. */
function ofPod(spec: JsonMap, resource: PodResource): Amount {
  const whole = at(spec, '/resources')
  const pod = whole === undefined ? undefined : written(whole, resource)
  const overhead = quantityOf(at(spec, `/overhead/${token(resource.name)}`))
  return plus(pod ?? containers(spec, resource), overhead)
}

function containers(spec: JsonMap, resource: PodResource): Amount {
  let sidecars: Amount = 0n
  let starting: Amount = 0n
  for (const one of listOf(spec.initContainers)) {
    const amount = ofContainer(one, resource)
    if (amount === undefined || sidecars === undefined) return undefined
    if (one.restartPolicy === 'Always') sidecars += amount
    const step: bigint = one.restartPolicy === 'Always' ? sidecars : sidecars + amount
    starting = starting > step ? starting : step
  }
  const running = listOf(spec.containers).reduce<Amount>(
    (sum, one) => plus(sum, ofContainer(one, resource)),
    sidecars,
  )
  return running === undefined ? undefined : running > starting ? running : starting
}

function listOf(value: Json | undefined): readonly JsonMap[] {
  return value !== undefined && isList(value) ? value.filter(isMap) : []
}

/** A container that names no amount gets one by a LimitRange, or none at all: nobody can tell here. */
function ofContainer(one: JsonMap, resource: PodResource): Amount {
  const { resources } = one
  const amount = resources === undefined ? undefined : written(resources, resource)
  // devices and the like are asked for by name alone
  return amount ?? (isDevice(resource.name) ? 0n : undefined)
}

function written(resources: Json, { of, name }: PodResource): Amount {
  const value = amountIn(resources, of, name)
  // Kubernetes takes the limit where a request is not written
  return value ?? (of === 'requests' ? amountIn(resources, 'limits', name) : undefined)
}

function amountIn(resources: Json, of: string, name: string): Amount {
  if (!isMap(resources)) return undefined
  const value = at(resources, `/${of}/${token(name)}`)
  return value === undefined ? undefined : quantityOf(value)
}

function quantityOf(value: Json | undefined): Amount {
  if (value === undefined) return 0n
  return typeof value === 'string' || typeof value === 'number'
    ? readQuantity(String(value))
    : undefined
}

function isDevice(name: string): boolean {
  return name.includes('/') || name.startsWith('hugepages-')
}
