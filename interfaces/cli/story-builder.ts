import type { IntentView } from '@jackstay/contract/api'
import type { EventData, EventType, IntentEvent } from '@jackstay/contract/history'
import { readEvent } from '@jackstay/contract/history'
import { sha256 } from '@jackstay/contract/json'
import { nothingDisrupted } from '@jackstay/contract/plan'
import { fold } from '@jackstay/contract/record'

// For the tests of this package: the events of an intent that scaled a Deployment.

export const id = '019a0000-0000-7000-8000-000000000001'
const uid = '00000000-0000-4000-8000-000000000002'
const at = (second: number) => new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString()

const target = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
}
const object = { ...target, resource: 'deployments', uid }
const of = `Deployment shop/checkout ${uid}`

const plan: EventData<'planned'>['plan'] = {
  action: 'workload.scale',
  summary: 'scale Deployment shop/checkout from 3 to 5',
  executor: 'system:serviceaccount:jackstay-executors:scalers',
  target: object,
  reads: [],
  writes: [
    {
      id: 'w1',
      verb: 'patch',
      object,
      body: { spec: { replicas: 5 } },
      before: [{ of, path: '/spec/replicas', value: { is: 3 } }],
      after: [{ of, path: '/spec/replicas', value: { is: 5 } }],
      inverse: { body: { spec: { replicas: 3 } } },
    },
  ],
  blastRadius: {
    ...{ ...nothingDisrupted, objects: 1, pods: 5, readyReplicasLost: 0, namespaces: ['shop'] },
  },
  reversibility: 'inverse',
  observed: {},
}

const decision: EventData<'decided'>['decision'] = {
  effect: 'allow',
  reason: 'allowed by base/scale-up',
  fired: [
    { id: 'base/scale-up', effect: 'allow', mode: 'enforce', outcome: 'matched' },
    { id: 'base/peak', effect: 'requireApproval', mode: 'enforce', outcome: 'matched' },
  ],
  evaluated: 7,
  requirements: [{ from: 'base/peak', count: 1, groups: ['sre'], expiresAfter: 3600 }],
  rulesHash: sha256('rules'),
}

const digest = sha256('plan')
const binding = { write: 'w1', uid, resourceVersion: '41' }

/** What each event says unless a test says otherwise. */
const defaults = {
  authenticated: {
    agent: {
      name: 'jackstay-class-shop/runbook',
      class: 'scalers',
      podName: 'runbook-1',
      podUid: uid,
      kid: 'k'.repeat(43),
    },
    claims: {
      v: 1,
      jti: id,
      seq: 1,
      iss: 'jackstay-class-shop/runbook',
      sub: uid,
      aud: uid,
      iat: 1,
      exp: 2,
      ath: sha256('token'),
      action: 'workload.scale',
      target,
      params: { replicas: 5 },
      reasoning: { digest: sha256('reasoning') },
    },
    jws: 'a.b.c',
    jwsDigest: sha256('jws'),
    reasoning: {
      summary: 'latency is above the target, more replicas will help',
      evidence: [{ uri: 'prometheus:query/latency', digest: sha256('evidence') }],
      salt: '0'.repeat(32),
    },
    trigger: {
      id,
      source: 'alertmanager',
      status: 'firing',
      fingerprint: 'abc',
      groupKey: 'g',
      startsAt: at(0),
      receivedAt: at(1),
      labels: { alertname: 'HighLatency', severity: 'page' },
      annotations: {},
    },
  },
  admitted: { class: 'scalers', classHash: sha256('class') },
  planned: { plan },
  decided: { decision },
  rehearsed: { plan, decision, digest, catalogueVersion: 'v1', approveBefore: at(59) },
  approved: {
    digest,
    approvals: [
      {
        name: 'a',
        uid,
        approver: 'alice@example.com',
        groups: ['sre'],
        verdict: 'approve',
        reason: 'known peak',
        at: at(20),
      },
    ],
  },
  dispatched: { attempt: 1, digest, decision, bindings: [binding] },
  written: {
    write: 'w1',
    attempt: 1,
    outcome: 'applied',
    settled: 'by_answer',
    auditId: 'audit-1',
    resourceVersion: '42',
  },
  executed: { verifyBefore: at(50) },
  undoing: { reason: 'verification_failed', message: '5 of 5 Pods crash' },
  undoDispatched: { attempt: 1, bindings: [binding] },
  undone: {
    write: 'w1',
    attempt: 1,
    outcome: 'applied',
    settled: 'by_reading',
    auditId: 'audit-2',
  },
  ended: {
    phase: 'verified',
    stage: 'verify',
    reason: 'succeeded',
    message: '5 of 5 replicas ready',
  },
} satisfies { [T in EventType]: EventData<T> }

type Overrides = { readonly [T in EventType]?: Partial<EventData<T>> }

const leaves: Partial<Record<EventType, number>> = { rehearsed: 7, dispatched: 8, ended: 9 }

/** The intent after these events; the first one is always `authenticated`. */
export function story(types: readonly EventType[], overrides: Overrides = {}): IntentView {
  const all: readonly EventType[] = ['authenticated', ...types]
  const events = all.map((type, i) => ({
    seq: i + 1,
    type,
    at: at(i + 2),
    data: { ...defaults[type], ...overrides[type] },
    leafIndexes: [leaves[type] ?? []].flat(),
  }))
  const record = fold(
    id,
    events.map((event): IntentEvent => readEvent(event)),
  )
  return {
    summary: {
      id,
      agent: 'jackstay-class-shop/runbook',
      action: 'workload.scale',
      target: 'Deployment shop/checkout',
      phase: record.phase,
      ...(record.ended && { reason: record.ended.reason }),
      receivedAt: at(2),
      updatedAt: at(all.length + 1),
    },
    events,
  }
}

export const untilApproval = ['admitted', 'planned', 'decided', 'rehearsed'] as const
export const untilWritten = [...untilApproval, 'approved', 'dispatched', 'written'] as const
export const verified = [...untilWritten, 'executed', 'ended'] as const
