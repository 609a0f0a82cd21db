import { nothingDisrupted } from '@jackstay/contract/plan'
import type { Facts } from './facts.ts'
import { risk } from './risk.ts'

const labels = { 'jackstay.dev/governed': 'true' }
const blastRadius: Facts['plan']['blastRadius'] = {
  ...{ ...nothingDisrupted, objects: 1, pods: 1, readyReplicasLost: 0, namespaces: ['shop'] },
  workloads: [
    { kind: 'Deployment', namespace: 'shop', name: 'web', ready: 2, lost: 0, sharePercent: 0 },
  ],
}

/**
 * One complete set of facts, for those who try rules without a cluster: a Deployment `shop/web` is
 * to be scaled from 2 to 3 replicas by a class that may act within policy, at noon on a Wednesday
 * (UTC), outside every change window, while nothing else is wrong.
 */
export const sampleFacts: Facts = {
  intent: { action: 'workload.scale', params: { replicas: 3 } },
  action: 'workload.scale',
  target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  plan: {
    summary: 'scale Deployment shop/web from 2 to 3 replicas',
    reversibility: 'inverse',
    blastRadius,
    writes: [{ path: '/spec/replicas', before: 2, after: 3 }],
    risk: risk({ blastRadius, reversibility: 'inverse' }),
  },
  agent: {
    name: 'jackstay-class-sre/healer',
    namespace: 'jackstay-class-sre',
    serviceAccount: 'healer',
  },
  class: { name: 'sre', autonomy: 'act-within-policy' },
  cluster: { uid: '00000000-0000-4000-8000-000000000000', incidents: [] },
  namespace: { name: 'shop', labels, quotas: [] },
  window: { open: false, frozen: false, breakGlass: false, names: [] },
  now: new Date('2026-03-04T12:00:00Z'),
}

/** Who must agree where the class demands it, unless told otherwise. */
export const sampleApproval = { count: 1, groups: ['approvers'] } as const
