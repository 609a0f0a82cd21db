import { blastRadiusOf } from '@jackstay/judge/blast-radius'
import type { Disruption } from '@jackstay/judge/disruption'
import { type Facts, facts } from '@jackstay/judge/facts'
import { risk } from '@jackstay/judge/risk'
import { sampleFacts } from '@jackstay/judge/sample-facts'
import { valueAt } from './schema.ts'
import type { Path } from './yaml.ts'

/** Some of the facts; `null` takes away what was there. */
export type Changes = Readonly<Record<string, unknown>>

/**
 * The sample facts with changes laid over them, one after the other: maps are merged, everything
 * else is replaced. What follows from the changes follows, unless they say otherwise: the plan of
 * `workload.scale` from `replicas`, the namespace from the target's, the risk from the plan.
 * Unchecked: the schema of facts judges the result.
 */
export function situation(changes: readonly Changes[]): unknown {
  const merged = changes.reduce<unknown>(merge, sampleFacts)
  const given = (...path: string[]) => changes.some((c) => valueAt(c, path) !== undefined)
  const steps = [names, plan, reached, assessed]
  return steps.reduce((values, step) => merge(values, step(values, given)), merged)
}

type Given = (...path: string[]) => boolean

/** Laid over, as RFC 7396 says. */
function merge(below: unknown, above: unknown): unknown {
  if (!isMap(above)) return above
  const base = isMap(below) ? below : {}
  const kept = Object.entries(base).filter(([key]) => above[key] !== null)
  const laid = Object.entries(above)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => [key, merge(own(base, key), value)] as const)
  return Object.fromEntries([...kept, ...laid])
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}

function own(map: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** What has two names has one value. */
function names(values: unknown, given: Given): Changes {
  const at = (...path: string[]) => valueAt(values, path)
  const action =
    given('intent', 'action') && !given('action') ? at('intent', 'action') : at('action')
  const namespace =
    given('namespace', 'name') && !given('target', 'namespace')
      ? at('namespace', 'name')
      : at('target', 'namespace')
  const parts = String(at('agent', 'name')).split('/')
  return {
    ...(!given('action') && { action }),
    ...(!given('intent', 'action') && { intent: { action } }),
    ...(!given('target', 'namespace') && { target: { namespace } }),
    ...(!given('namespace', 'name') && { namespace: { name: namespace } }),
    agent: {
      ...(!given('agent', 'namespace') && { namespace: parts[0] }),
      ...(!given('agent', 'serviceAccount') && { serviceAccount: parts[1] }),
    },
  }
}

const replicasPath = '/spec/replicas'

/** The plan of `workload.scale` for the replicas asked for, from the 2 of the sample. */
function plan(values: unknown, given: Given): Changes {
  const namespace = valueAt(values, ['target', 'namespace'])
  const namespaces = given('plan', 'blastRadius', 'namespaces')
    ? {}
    : { blastRadius: { namespaces: [namespace] } }
  const wanted = valueAt(values, ['intent', 'params', 'replicas'])
  if (valueAt(values, ['action']) !== 'workload.scale' || !Number.isInteger(wanted)) {
    return { plan: namespaces }
  }
  const writes = given('plan', 'writes')
    ? valueAt(values, ['plan', 'writes'])
    : [{ path: replicasPath, before: 2, after: wanted }]
  const [before, after] = [valueAt(writes, ['0', 'before']), valueAt(writes, ['0', 'after'])]
  if (typeof before !== 'number' || typeof after !== 'number') return { plan: namespaces }
  const reach = (key: string, value: unknown) =>
    !given('plan', 'blastRadius', key) && { [key]: value }
  const name = String(valueAt(values, ['target', 'name']))
  const summary = `scale Deployment ${String(namespace)}/${name} from ${before} to ${after} replicas`
  return {
    plan: {
      writes,
      ...(!given('plan', 'summary') && { summary }),
      blastRadius: {
        ...namespaces.blastRadius,
        ...reach('pods', Math.abs(after - before)),
        ...reach('readyReplicasLost', Math.max(0, before - after)),
      },
    },
  }
}

/** A Pod of the sample, so that quotas have something to count. */
const amounts = { cpu: '100m', memory: '128Mi' }
const podSpec = { containers: [{ resources: { requests: amounts, limits: amounts } }] }

/** What stands around the one workload, as far as the facts tell. */
function reached(values: unknown, given: Given): Changes {
  const { plan, namespace } = facts.shape
  const reach = ['objects', 'pods', 'readyReplicasLost', 'namespaces'] as const
  const own = plan.shape.blastRadius
    .pick({ objects: true, pods: true, readyReplicasLost: true, namespaces: true })
    .safeParse(pick(values, ['plan', 'blastRadius'], reach))
  const around = namespace.safeParse(valueAt(values, ['namespace']))
  const target = facts.shape.target.safeParse(valueAt(values, ['target']))
  if (!own.success || !around.success || !target.success) return {}
  const quotas = around.data.quotas.map(({ name, ...limit }) => ({
    ...{ name, namespace: around.data.name, limits: [limit] },
  }))
  const radius = blastRadiusOf(own.data, [disruption(values, target.data, own.data)], {
    labels: (name) => (name === around.data.name ? around.data.labels : {}),
    quotas: (name) => (name === around.data.name ? quotas : []),
    budgets: () => [],
    autoscalers: () => [],
    priority: () => 0,
  })
  // what is not known takes away what the sample knew
  const all = { sharePercent: null, priority: null, ...radius }
  const laid = Object.entries(all).filter(([key]) => !given('plan', 'blastRadius', key))
  return { plan: { blastRadius: Object.fromEntries(laid) } }
}

function disruption(
  values: unknown,
  { kind, namespace, name }: Facts['target'],
  { readyReplicasLost: lost }: { readonly readyReplicasLost: number },
): Disruption {
  const field = (side: string) => valueAt(values, ['plan', 'writes', '0', side])
  const [before, after] = [field('before'), field('after')]
  const scaled = typeof before === 'number' && typeof after === 'number'
  const extra = scaled ? Math.max(0, after - before) : 0
  return {
    ...{ kind, namespace, name, labels: {}, priority: 0, pods: [{ labels: {}, lost }] },
    ready: typeof before === 'number' ? before : undefined,
    replicas: scaled ? { before, after } : undefined,
    growth: { extra, replaced: 0, before: podSpec, after: podSpec },
  }
}

/** The risk by its formula, where the rest is in order. */
function assessed(values: unknown, given: Given): Changes {
  const looked = facts.shape.plan.pick({ blastRadius: true, reversibility: true })
  const read = looked.safeParse(pick(values, ['plan'], ['blastRadius', 'reversibility']))
  return given('plan', 'risk') || !read.success ? {} : { plan: { risk: risk(read.data) } }
}

function pick(values: unknown, path: Path, keys: readonly string[]): unknown {
  return Object.fromEntries(keys.map((key) => [key, valueAt(values, [...path, key])]))
}

/** Times in files are text. */
export function withTime(values: unknown): unknown {
  const now = valueAt(values, ['now'])
  if (!isMap(values) || typeof now !== 'string') return values
  return { ...values, now: rfc3339.test(now) ? new Date(now) : now }
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i
