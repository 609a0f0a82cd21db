import { readQuantity } from '@jackstay/judge/quantities'
import { isRecord } from '@jackstay/kube/resources'
import type { KubeObject } from '../objects.ts'
import { forbidden, type Status } from '../status.ts'
import type { AdmissionRequest } from './request.ts'
import { amountText, type Usage, usageOf } from './usage.ts'

/** What a creation comes to under the quotas of its namespace. */
export type Charged<Q> =
  | { readonly refusal: Status }
  /** Quotas whose `status.used` grows, as they are to be stored. */
  | { readonly quotas: readonly Q[] }

/** Charges a new object to every quota that counts it. */
export function charge<Q extends KubeObject>(
  request: AdmissionRequest,
  quotas: readonly Q[],
): Charged<Q> {
  const { object, operation, subResource, namespace, resource, name } = request
  const own = quotas.filter(({ metadata }) => metadata.namespace === namespace)
  if (object === null || operation !== 'CREATE' || subResource !== '' || own.length === 0) {
    return { quotas: [] }
  }
  const usage = usageOf(resource, object)
  const refuse = (why: string): Charged<Q> => ({
    refusal: forbidden(resource, name || (object.metadata.name ?? ''), why),
  })
  const grown: Q[] = []
  for (const quota of own) {
    const hard = amounts(quota, 'hard')
    const missing = unsaid(usage, hard)
    if (missing !== '')
      return refuse(`failed quota: ${quota.metadata.name}: must specify ${missing}`)
    const used = amounts(quota, 'used')
    const counted = Object.keys(hard).filter((key) => usage.amounts[key] !== undefined)
    const exceeded = counted.filter(
      (key) => worth(used[key]) + worth(usage.amounts[key]) > worth(hard[key]),
    )
    if (exceeded.length > 0) {
      const say = (of: Readonly<Record<string, string>>) =>
        exceeded
          .toSorted()
          .map((key) => `${key}=${of[key] ?? '0'}`)
          .join(',')
      return refuse(
        `exceeded quota: ${quota.metadata.name}, requested: ${say(usage.amounts)}, used: ${say(used)}, limited: ${say(hard)}`,
      )
    }
    if (counted.length > 0) grown.push(withUsed(quota, used, usage, counted))
  }
  return { quotas: grown }
}

function worth(text = '0'): bigint {
  return readQuantity(text) ?? 0n
}

/** As the status has it; until a controller has written one, as the spec does. */
function amounts({ spec, status }: KubeObject, of: 'hard' | 'used'): Record<string, string> {
  const written = isRecord(status) && isRecord(status[of]) ? status[of] : undefined
  const found = written ?? (of === 'hard' && isRecord(spec) && isRecord(spec.hard) ? spec.hard : {})
  return Object.fromEntries(Object.entries(found).map(([key, value]) => [key, String(value)]))
}

/** What a quota limits each container has to say. */
function unsaid({ silent }: Usage, hard: Readonly<Record<string, string>>): string {
  return Object.keys(hard)
    .toSorted()
    .flatMap((key) => {
      const containers = silent[key] ?? []
      return containers.length === 0 ? [] : [`${key} for: ${containers.join(',')}`]
    })
    .join('; ')
}

function withUsed<Q extends KubeObject>(
  quota: Q,
  used: Readonly<Record<string, string>>,
  usage: Usage,
  counted: readonly string[],
): Q {
  const grown = counted.map((key) => {
    const [before = '0', more = '0'] = [used[key], usage.amounts[key]]
    return [key, amountText(worth(before) + worth(more), [before, more])] as const
  })
  const status = isRecord(quota.status) ? quota.status : {}
  return { ...quota, status: { ...status, used: { ...used, ...Object.fromEntries(grown) } } }
}
