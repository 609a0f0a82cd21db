import { type Manifest, suffix } from './governed.ts'

/*
 * One valid object of each kind; a test bends what it is about.
 */

export interface Specimen extends Manifest {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: Manifest
}

export const zeroUid = '00000000-0000-4000-8000-000000000000'
const zeroDigest = `sha256:${'0'.repeat(64)}`
const key = 'A'.repeat(43)

const root = '/apis/jackstay.dev/v1alpha1'
export const clusterPath = (plural: string) => `${root}/${plural}`
export const namespacedPath = (plural: string, namespace: string) =>
  `${root}/namespaces/${namespace}/${plural}`
export const approvalsIn = (namespace: string) => namespacedPath('approvals', namespace)

function specimen(kind: string, spec: Manifest, namespace?: string): Specimen {
  const metadata = {
    name: `${kind.toLowerCase()}-${suffix()}`,
    ...(namespace !== undefined && { namespace }),
  }
  return { apiVersion: 'jackstay.dev/v1alpha1', kind, metadata, spec }
}

export function approvalOf(namespace: string, spec: Manifest = {}): Specimen {
  const valid = {
    subject: { kind: 'Intent', name: zeroUid, uid: zeroUid },
    digest: zeroDigest,
    verdict: 'approve',
    approver: 'oncall-1',
    groups: [],
    reason: 'the graphs agree',
  }
  return specimen('Approval', { ...valid, ...spec }, namespace)
}

export function suspensionOf(spec: Manifest): Specimen {
  return specimen('Suspension', { reason: 'the test stops it', ...spec })
}

/** An allow window for a namespace that does not exist: on a shared cluster no specimen may take effect. */
export function changeWindowOf(spec: Manifest = {}): Specimen {
  const schedule = { cron: '0 9 * * 1-5', duration: '9h', timeZone: 'Europe/Berlin' }
  const scope = { actions: ['workload.scale'], namespaces: ['none'] }
  return specimen('ChangeWindow', { effect: 'allow', ...schedule, ...scope, ...spec })
}

/** Lifts what is frozen in a namespace that does not exist, once somebody else agrees. */
export function breakGlassOf(spec: Manifest = {}): Specimen {
  return specimen('ChangeWindow', {
    effect: 'breakGlass',
    once: { from: '2026-02-02T09:00:00Z', until: '2026-02-02T11:00:00Z' },
    actions: ['workload.scale'],
    namespaces: ['none'],
    reason: 'the shop is down',
    madeBy: 'oncall-1',
    grant: { count: 1, groups: ['oncall'] },
    ...spec,
  })
}

export function actionPolicyOf(spec: Manifest = {}): Specimen {
  const rules = [{ name: 'allow', allow: { when: 'true' } }]
  // `audit`: on a shared cluster no specimen may take effect
  return specimen('ActionPolicy', { mode: 'audit', actions: ['workload.scale'], rules, ...spec })
}

export function agentClassOf(spec: Manifest = {}): Specimen {
  const quorum = { count: 1, groups: ['oncall'] }
  return specimen('AgentClass', {
    namespace: `jackstay-class-${suffix()}`,
    autonomy: 'observe',
    actions: [{ name: 'workload.scale', targets: { namespaces: ['*'], names: ['*'] } }],
    defaultApproval: quorum,
    limits: {
      intentsPerMinute: 6,
      pending: 5,
      concurrent: 5,
      budgets: [{ of: 'pods', most: 10, per: '1h' }],
      oscillation: { turns: 3, within: '1h' },
    },
    verifySeconds: 60,
    triggers: [{ labels: { severity: 'none' } }],
    grant: quorum,
    ...spec,
  })
}

export function agentKeyOf(namespace: string, spec: Manifest = {}): Specimen {
  const publicKey = { crv: 'Ed25519', kty: 'OKP', x: key }
  const valid = {
    agent: `${namespace}/agent`,
    class: 'none',
    podName: 'agent-0',
    podUid: zeroUid,
    thumbprint: key,
    publicKey,
  }
  return specimen('AgentKey', { ...valid, ...spec }, namespace)
}

export function intentOf(namespace: string, spec: Manifest = {}): Specimen {
  const valid = {
    agent: 'jackstay-class-none/agent',
    action: 'workload.scale',
    target: `Deployment ${namespace}/api`,
    jws: 'e30.e30.e30',
  }
  return specimen('Intent', { ...valid, ...spec }, namespace)
}
