import type { Decision } from './decision.ts'
import type { EnrolmentProof } from './enrolment.ts'
import type { EventData, EventType, IntentEvent } from './history.ts'
import type { IntentClaims, Reasoning } from './intent.ts'
import { digestOf, sha256 } from './json.ts'
import { nothingDisrupted, type Plan } from './plan.ts'

// For the tests of this package: an agent scales a Deployment from 2 to 5.

export const id = '019a0000-0000-7000-8000-000000000001'
export const uid = '00000000-0000-4000-8000-000000000002'
export const kid = 'k'.repeat(43)
const agent = 'jackstay-class-a/agent'
const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }

export function reasoningOf(changes: Partial<Reasoning> = {}): Reasoning {
  return {
    summary: 'two replicas cannot carry the load',
    evidence: [{ uri: 'prometheus:latency', digest: sha256('evidence') }],
    salt: '0'.repeat(32),
    ...changes,
  }
}

export function claimsOf(changes: Partial<IntentClaims> = {}): IntentClaims {
  return {
    ...{ v: 1, jti: id, seq: 1, iss: agent, sub: uid, aud: uid, iat: 1000, exp: 1060 },
    ath: sha256('token'),
    action: 'workload.scale',
    target,
    params: { replicas: 5 },
    reasoning: { digest: digestOf(reasoningOf()) },
    ...changes,
  }
}

export function proofOf(changes: Partial<EnrolmentProof> = {}): EnrolmentProof {
  const jwk = { crv: 'Ed25519', kty: 'OKP', x: 'A'.repeat(43) } as const
  return { v: 1, aud: uid, iat: 1000, exp: 1060, ath: sha256('token'), jwk, ...changes }
}

export function planOf(changes: Partial<Plan> = {}): Plan {
  const object = { ...target, resource: 'deployments', uid }
  const of = 'Deployment shop/web'
  return {
    action: 'workload.scale',
    summary: 'scale Deployment shop/web from 2 to 5',
    executor: 'system:serviceaccount:jackstay-executors:a',
    target: object,
    reads: [{ of, path: '/metadata/labels/owner', value: 'absent' }],
    writes: [
      {
        ...{ id: 'w1', verb: 'patch', object },
        body: { spec: { replicas: 5 } },
        before: [{ of, path: '/spec/replicas', value: { is: 2 } }],
        after: [{ of, path: '/spec/replicas', value: { is: 5 } }],
        inverse: { body: { spec: { replicas: 2 } } },
      },
    ],
    blastRadius: {
      ...{ ...nothingDisrupted, objects: 1, pods: 5, readyReplicasLost: 0, namespaces: ['shop'] },
    },
    reversibility: 'inverse',
    observed: { readyReplicas: 2 },
    ...changes,
  }
}

export function decisionOf(changes: Partial<Decision> = {}): Decision {
  return {
    effect: 'allow',
    reason: 'allowed by base/scale',
    fired: [{ id: 'base/scale', effect: 'allow', mode: 'enforce', outcome: 'matched' }],
    evaluated: 3,
    requirements: [],
    rulesHash: sha256('rules'),
    ...changes,
  }
}

/** A decision that waits for one person. */
export const needsApproval = decisionOf({
  requirements: [{ from: 'base/scale', count: 1, groups: ['oncall'], expiresAfter: 3600 }],
})

const digest = sha256('plan')
const bindings = [{ write: 'w1', uid, resourceVersion: '41' }]

const events: { readonly [T in EventType]: EventData<T> } = {
  authenticated: {
    agent: { name: agent, class: 'a', podName: 'agent-0', podUid: uid, kid },
    claims: claimsOf(),
    jws: 'a.b.c',
    jwsDigest: sha256('a.b.c'),
    reasoning: reasoningOf(),
  },
  admitted: { class: 'a', classHash: sha256('class') },
  planned: { plan: planOf() },
  decided: { decision: decisionOf() },
  rehearsed: { plan: planOf(), decision: decisionOf(), digest, catalogueVersion: 'v1' },
  approved: { digest, approvals: [] },
  dispatched: { attempt: 1, digest, decision: decisionOf(), bindings },
  written: { write: 'w1', attempt: 1, outcome: 'applied', settled: 'by_answer' },
  executed: { verifyBefore: '2026-01-01T00:02:00.000Z' },
  undoing: { reason: 'verification_failed', message: 'the Pods crash' },
  undoDispatched: { attempt: 1, bindings },
  undone: { write: 'w1', attempt: 1, outcome: 'applied', settled: 'by_answer' },
  ended: { phase: 'verified', stage: 'verify', reason: 'succeeded', message: 'all replicas ready' },
}

export function eventOf<T extends EventType>(
  type: T,
  changes: Partial<EventData<T>> = {},
): IntentEvent {
  const data = { ...events[type], ...changes }
  // a member of the union by construction: type and data come from the same row of `events`
  return { type, at: '2026-01-01T00:00:00.000Z', data } as unknown as IntentEvent
}
