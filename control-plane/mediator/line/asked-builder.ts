import type { EventData } from '@jackstay/contract/history'
import type { IntentClaims } from '@jackstay/contract/intent'
import { type Digest, digestOf, type Json, sha256 } from '@jackstay/contract/json'
import type { ApprovalView } from '../ports.ts'

/** What is asked in tests of the line, and what people say of it. */

export const id = '01890a5d-ac96-7000-8000-000000000001'
export const podUid = '11111111-1111-4111-8111-111111111111'
export const uid = '22222222-2222-4222-8222-222222222222'
export const kid = 'k'.repeat(43)
const signedAt = Date.parse('2026-01-01T12:00:00Z') / 1000

export const scaling = {
  action: 'workload.scale',
  target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
} as const

export function authenticatedWith(
  { action, target, params }: Pick<IntentClaims, 'action' | 'target'> & { readonly params: Json },
  id: string,
  agent: string,
): EventData<'authenticated'> {
  const reasoning = { summary: 'because', evidence: [], salt: '0'.repeat(32) }
  return {
    agent: { name: agent, class: 'a', podName: 'agent-0', podUid, kid },
    claims: {
      ...{
        v: 1,
        jti: id,
        seq: 1,
        iss: agent,
        sub: podUid,
        aud: podUid,
        iat: signedAt,
        exp: signedAt + 60,
      },
      ath: sha256('token'),
      ...{ action, target },
      params: params as { readonly [key: string]: Json },
      reasoning: { digest: digestOf(reasoning) },
    },
    jws: 'x.y.z',
    jwsDigest: sha256('x.y.z'),
    reasoning,
  }
}

export function approval(
  options: Partial<ApprovalView> & { readonly digest: Digest },
): ApprovalView {
  return {
    ...{ name: 'yes', namespace: 'shop', uid, approver: 'oncall-1', groups: ['oncall'] },
    ...{ verdict: 'approve', reason: 'fine', at: '2026-01-01T12:00:00Z' },
    subject: { kind: 'Intent', name: id, uid },
    ...options,
  }
}
