import { same } from '@jackstay/contract/field-changes'
import { isMap, type JsonMap } from '@jackstay/contract/json'
import { readQuantity } from '@jackstay/judge/quantities'
import { z } from 'zod'
import { containerAction, containerName } from './container.ts'

const quantity = z
  .string()
  .max(32)
  .refine((text) => (readQuantity(text) ?? -1n) >= 0n, {
    message: 'a Kubernetes quantity, not below zero, such as `500m` or `256Mi`',
  })
const amounts = z
  .strictObject({
    cpu: quantity.optional(),
    memory: quantity.optional(),
    'ephemeral-storage': quantity.optional(),
  })
  .refine((given) => Object.values(given).some((value) => value !== undefined), {
    message: 'name at least one resource',
  })

const params = z
  .strictObject({
    container: containerName,
    requests: amounts.optional().describe('what it asks for; what is not named stays'),
    limits: amounts.optional().describe('what it may use; what is not named stays'),
  })
  .refine(({ requests, limits }) => requests !== undefined || limits !== undefined, {
    message: 'give `requests` or `limits`',
  })
type Params = z.infer<typeof params>

function merged(now: JsonMap, { requests, limits }: Params): JsonMap {
  const part = (key: string, given: Params['limits']): JsonMap => {
    const old = now[key]
    if (given === undefined) return old === undefined ? {} : { [key]: old }
    const named = Object.entries(given).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))
    return { [key]: { ...(isMap(old) ? old : {}), ...Object.fromEntries(named) } }
  }
  return { ...now, ...part('requests', requests), ...part('limits', limits) }
}

/** Sets requests and limits of one container of a workload's template. */
export const workloadSetResources = containerAction<Params>({
  name: 'workload.setResources',
  description:
    'Sets requests and limits of one container of a Deployment, StatefulSet or DaemonSet, which replaces its Pods a few at a time. Undone by setting the previous ones.',
  cannotRestore: 'What the replaced Pods held in memory and on their own disks.',
  params,
  field: 'resources',
  change: (given, now) => {
    const old = isMap(now) ? now : {}
    const wanted = merged(old, given)
    const message = `\`${given.container}\` already has these requests and limits`
    return same(old, wanted) ? { refused: 'no_change', message } : { to: wanted }
  },
  summary: ({ container, requests, limits }, place) => {
    const words = Object.entries({ requests, limits }).flatMap(([kind, given]) =>
      Object.entries(given ?? {}).map(([name, value]) => `${name} ${kind} ${value}`),
    )
    return `set ${words.join(', ')} of ${container} in ${place}`
  },
})
