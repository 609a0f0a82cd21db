import assert from 'node:assert/strict'
import { nothingDisrupted, type Plan } from '@jackstay/contract/plan'
import {
  type ActionPlan,
  type CatalogueEntry,
  type FactReader,
  isRefusal,
  type Observed,
  type Refusal,
} from '../action.ts'

/** Builders for tests: a workload of two of two ready Pods, and what an action makes of it. */

export const uid = '11111111-1111-4111-8111-111111111111'
export const request = { intent: 'i', signedAt: Date.parse('2026-03-04T12:00:00Z') / 1000 }
export const digestOfApp = `sha256:${'a'.repeat(64)}`

export interface Parts {
  readonly kind?: string
  readonly metadata?: object
  readonly spec?: object
  readonly template?: object
  readonly status?: object
}

export const containers = [
  { name: 'app', image: 'app:1', resources: { limits: { memory: '64Mi' } } },
  { name: 'side', image: `side@${digestOfApp}` },
]

export function workloadOf(parts: Parts = {}): Observed {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers, serviceAccountName: 'web' },
    ...parts.template,
  }
  const counts = { replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2 }
  return {
    apiVersion: 'apps/v1',
    kind: parts.kind ?? 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid, generation: 4, ...parts.metadata },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template, ...parts.spec },
    status: { observedGeneration: 4, ...counts, ...parts.status },
  } as Observed
}

/** A Pod of the workload, running `app:1` as the digest above. */
const pod: Observed = {
  metadata: { name: 'web-1', namespace: 'shop' },
  spec: { containers: [{ name: 'app', image: 'app:1' }] },
  status: { containerStatuses: [{ name: 'app', imageID: `registry.example/app@${digestOfApp}` }] },
}

export function readerOf(
  object: Observed,
  lists: Readonly<Record<string, readonly Observed[]>> = { Pod: [pod] },
): FactReader {
  return {
    get: async () => object,
    list: async ({ kind }) => lists[kind] ?? [],
    listEverywhere: async () => [],
  }
}

export async function prepare(
  entry: CatalogueEntry,
  params: unknown,
  object: Observed = workloadOf(),
  lists?: Readonly<Record<string, readonly Observed[]>>,
) {
  const kind = String(object.kind)
  const target = { apiVersion: String(object.apiVersion), kind, namespace: 'shop', name: 'web' }
  return await entry.prepare(target, params, readerOf(object, lists), request)
}

export async function planned(...args: Parameters<typeof prepare>): Promise<Plan> {
  const plan = await prepare(...args)
  assert.ok(!isRefusal(plan), JSON.stringify(plan))
  return withPlanned(args[0].name, plan)
}

/** The plan as the line would have it, where nothing stands around the Pods. */
export function withPlanned(action: string, { disrupts: _, ...plan }: ActionPlan): Plan {
  const blastRadius = { ...nothingDisrupted, ...plan.blastRadius }
  return { action, executor: 'system:serviceaccount:x:y', ...plan, blastRadius }
}

export async function refusal(...args: Parameters<typeof prepare>): Promise<Refusal['refused']> {
  const plan = await prepare(...args)
  assert.ok(isRefusal(plan), 'it was planned')
  return plan.refused
}
