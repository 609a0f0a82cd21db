import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { z } from 'zod'
import { duration } from '../duration.ts'
import { kid, uid } from '../intent-builder.ts'
import { sha256 } from '../json.ts'
import {
  type ActionPolicySpec,
  actionPolicySpec,
  type PolicyRule,
  policyRule,
} from './action-policy.ts'
import {
  type AgentClassSpec,
  agentClassSpec,
  approvalQuorum,
  approverGroups,
} from './agent-class.ts'
import { type AgentKeySpec, agentKeySpec } from './agent-key.ts'
import { type ApprovalSpec, approvalSpec } from './approval.ts'
import { intentObjectSpec } from './intent-object.ts'
import { type SuspensionSpec, suspensionSpec } from './suspension.ts'

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success

/** Each key of `changes` names a field and lists values it must not have. */
function refuses(schema: z.ZodType, right: object, changes: Record<string, readonly unknown[]>) {
  assert.ok(accepts(schema, right), 'the right one')
  for (const [field, values] of Object.entries(changes)) {
    for (const value of values) {
      const what = `${field}: ${JSON.stringify(value)}`
      assert.equal(accepts(schema, { ...right, [field]: value }), false, what)
    }
  }
}

const classOf = (changes: Partial<AgentClassSpec> = {}): AgentClassSpec => ({
  namespace: 'jackstay-class-a',
  autonomy: 'act-within-policy',
  actions: [{ name: 'workload.scale', targets: { namespaces: ['shop'], names: ['*'] } }],
  defaultApproval: { count: 1, groups: ['oncall'] },
  limits: {
    intentsPerMinute: 10,
    pending: 5,
    concurrent: 5,
    budgets: [],
    oscillation: { turns: 3, within: '1h' },
  },
  verifySeconds: 120,
  triggers: [{ labels: { severity: 'page' } }],
  grant: { count: 2, groups: ['security'] },
  ...changes,
})

describe('AgentClass', () => {
  it('says every limit itself: a misspelt one is missing, not infinite (T83)', () => {
    const right = classOf()
    for (const key of Object.keys(right)) {
      const { [key as keyof AgentClassSpec]: value, ...rest } = right
      assert.equal(accepts(agentClassSpec, rest), false, key)
      assert.equal(accepts(agentClassSpec, { ...rest, [`${key}s`]: value }), false, `${key}s`)
      assert.equal(accepts(agentClassSpec, { ...right, [`${key}s`]: value }), false, `+ ${key}s`)
    }
  })

  it('lives in a namespace that admission policies recognise by its name', () => {
    refuses(agentClassSpec, classOf(), {
      namespace: [
        'shop',
        'kube-system',
        'jackstay-system',
        'my-jackstay-class-a',
        'jackstay-class-',
        '',
      ],
    })
  })

  it('has limits within bounds', () => {
    const targets = { namespaces: ['shop'], names: ['*'] }
    refuses(agentClassSpec, classOf(), {
      autonomy: ['full', 'Observe', ''],
      limits: [
        ...[
          { intentsPerMinute: 0 },
          { intentsPerMinute: 601 },
          { intentsPerMinute: 1.5 },
          { pending: 0 },
          { pending: 101 },
          { concurrent: 0 },
          { concurrent: 101 },
          { oscillation: { turns: 0, within: '1h' } },
          { oscillation: { turns: 3 } },
          { budgets: [{ of: 'pods', most: 0, per: '1h' }] },
          { budgets: [{ of: 'nodes', most: 1, per: '1h' }] },
          { budgets: [{ of: 'pods', most: 1, per: '169h' }] },
          { budgets: Array(9).fill({ of: 'pods', most: 1, per: '1h' }) },
        ].map((limit) => ({ ...classOf().limits, ...limit })),
        ...Object.keys(classOf().limits).map((key) =>
          Object.fromEntries(Object.entries(classOf().limits).filter(([k]) => k !== key)),
        ),
      ],
      verifySeconds: [0, 3601, '60'],
      actions: [
        [{ name: '*', targets }],
        [{ name: 'workload.scale' }],
        [{ name: 'workload.scale', targets: { namespaces: [], names: ['*'] } }],
        [{ name: 'workload.scale', targets: { namespaces: ['shop'], names: [] } }],
        [{ name: 'workload.scale', targets: { namespaces: ['sh*'], names: ['*'] } }],
        [{ name: 'workload.scale', targets: { namespaces: ['shop'] } }],
        Array(65).fill({ name: 'workload.scale', targets }),
      ],
      triggers: [
        Array(33).fill({ labels: {} }),
        [{ label: {} }],
        [{ labels: { ['k'.repeat(318)]: 'x' } }],
        [{ labels: { k: 'x'.repeat(1025) } }],
        [{ labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) }],
      ],
    })
    assert.ok(accepts(agentClassSpec, classOf({ actions: [], triggers: [] })))
  })
})

describe('people who approve', () => {
  it('are one to ten of at least one group (T58)', () => {
    refuses(
      approvalQuorum,
      { count: 1, groups: ['oncall'] },
      {
        count: [0, -1, 11, 1.5, '1', true, null, Number.NaN],
        groups: [[], [''], Array(17).fill('g'), ['g'.repeat(254)], 'oncall'],
        n: [1],
      },
    )
    assert.ok(accepts(approvalQuorum, { count: 10, groups: ['a', 'b'] }))
  })

  it('are no group of machines, wherever it stands in the list', () => {
    const group = fc.stringMatching(/^[a-z:-]{1,20}$/)
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 16 }), (groups) => {
        const human = groups.every((g) => !g.startsWith('system:'))
        assert.equal(accepts(approverGroups, groups), human)
      }),
    )
    for (const group of ['system:masters', 'system:serviceaccounts', 'system:authenticated']) {
      assert.equal(accepts(approverGroups, ['oncall', group]), false, group)
      assert.equal(
        accepts(agentClassSpec, classOf({ grant: { count: 1, groups: [group] } })),
        false,
      )
    }
  })
})

const ruleOf = (changes: Partial<PolicyRule> = {}): PolicyRule => ({
  name: 'scale',
  allow: { when: 'true' },
  ...changes,
})
const policyOf = (changes: Partial<ActionPolicySpec> = {}): ActionPolicySpec => ({
  mode: 'enforce',
  actions: ['workload.scale'],
  rules: [ruleOf()],
  ...changes,
})

describe('ActionPolicy', () => {
  it('rules have exactly one effect', () => {
    const effects = {
      deny: { when: 'true' },
      requireApproval: { when: 'true', count: 1, groups: ['oncall'] },
      allow: { when: 'true' },
    }
    const chosen = fc.subarray(Object.entries(effects))
    fc.assert(
      fc.property(chosen, (entries) => {
        const rule = { name: 'r', ...Object.fromEntries(entries) }
        assert.equal(accepts(policyRule, rule), entries.length === 1)
      }),
    )
    assert.equal(accepts(policyRule, { name: 'r', Deny: { when: 'true' } }), false)
    assert.equal(accepts(policyRule, { name: 'r', allow: 'true' }), false)
    assert.equal(accepts(policyRule, { name: 'r', allow: { when: '' } }), false)
    assert.equal(accepts(policyRule, { name: 'r', allow: { when: 'true', unless: 'x' } }), false)
    const waits = { when: 'true', count: 0, groups: ['oncall'] }
    assert.equal(accepts(policyRule, { name: 'r', requireApproval: waits }), false)
  })

  it('rules have names of their own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 5 }),
        (names) => {
          const rules = names.map((name) => ruleOf({ name }))
          assert.equal(
            accepts(actionPolicySpec, policyOf({ rules })),
            new Set(names).size === names.length,
          )
        },
      ),
    )
  })

  it('names actions, and has at least one rule', () => {
    refuses(actionPolicySpec, policyOf(), {
      mode: ['off', 'Enforce', undefined],
      actions: [[], ['workload.*'], ['**'], ['scale'], Array(65).fill('*')],
      rules: [
        [],
        undefined,
        [ruleOf({ name: 'Not-a-label' })],
        Array.from({ length: 201 }, (_, i) => ruleOf({ name: `r${i}` })),
      ],
      rule: [[ruleOf()]],
    })
    assert.ok(accepts(actionPolicySpec, policyOf({ actions: ['*'], mode: 'audit' })))
  })

  it('waits between a second and a week for people', () => {
    for (const text of ['1s', '90s', '15m', '1h30m', '1h1m1s', '168h', '9999m', '604800s']) {
      assert.ok(accepts(duration, text), text)
    }
    const bad = ['', 's', '0s', '1', '1d', '-1s', '1.5h', '1s1m', ' 1s', '1s\n', '1H', '1000h']
    for (const text of [...bad, '169h', '167h61m', '604801s', '168h1s', '999h9999m999999s']) {
      assert.equal(accepts(duration, text), false, text)
    }
  })
})

describe('Approval', () => {
  const right: ApprovalSpec = {
    subject: { kind: 'Intent', name: 'i', uid },
    digest: sha256('plan'),
    verdict: 'approve',
    approver: 'alice@example.com',
    groups: ['oncall'],
    reason: 'known peak',
  }

  it('is one person saying yes or no to one digest of one object', () => {
    refuses(approvalSpec, right, {
      subject: [
        { kind: 'Intent', name: 'i' },
        { kind: 'Pod', name: 'i', uid },
        { kind: 'Intent', name: 'i', uid: '*' },
        { kind: 'Intent', name: 'i', uid, namespace: 'x' },
      ],
      digest: ['', '*', 'sha256:', sha256('plan').toUpperCase()],
      verdict: ['yes', 'Approve', '', true],
      groups: [undefined, [''], Array(65).fill('g')],
      reason: ['', 'x'.repeat(1025), undefined],
      digests: [[sha256('plan')]],
    })
    assert.ok(accepts(approvalSpec, { ...right, groups: [], verdict: 'reject' }))
  })

  it('is never given by a machine (T52)', () => {
    refuses(approvalSpec, right, {
      approver: [
        '',
        'system:serviceaccount:jackstay-class-a:agent',
        'system:admin',
        'system:node:n',
        'x'.repeat(254),
      ],
    })
    assert.ok(accepts(approvalSpec, { ...right, approver: 'ann-system:' }))
  })
})

describe('Suspension', () => {
  it('names exactly one class, agent, action or target', () => {
    const target = { namespace: 'shop', kind: 'Deployment', name: 'api' }
    const agent = 'jackstay-class-a/agent'
    const subjects = { class: 'a', agent, action: 'workload.scale', target }
    fc.assert(
      fc.property(fc.subarray(Object.entries(subjects)), (entries) => {
        const spec = { reason: 'incident', ...Object.fromEntries(entries) }
        assert.equal(accepts(suspensionSpec, spec), entries.length === 1)
      }),
    )
  })

  it('is exact, with a reason', () => {
    const right: SuspensionSpec = { class: 'a', undo: 'hold', reason: 'incident' }
    refuses(suspensionSpec, right, {
      class: ['*', 'A', ''],
      undo: ['no', 'Hold', true],
      reason: ['', undefined],
      classes: [['a']],
      until: ['tomorrow', '2026-12-24T18:00:00+01:00'],
      madeBy: [''],
    })
  })

  it('of a target is exact; one without a namespace is of the whole cluster', () => {
    const right = { namespace: 'shop', kind: 'Deployment', name: 'api' }
    const of = (target: unknown) => accepts(suspensionSpec, { target, reason: 'incident' })
    assert.ok(of(right) && of({ kind: 'Node', name: 'worker-1' }))
    const wrong = [{ namespace: '' }, { namespace: '*' }, { kind: 'deployment' }, { name: '*' }]
    for (const change of [...wrong, { nam: 'api' }]) assert.ok(!of({ ...right, ...change }))
  })
})

describe('AgentKey', () => {
  const right: AgentKeySpec = {
    agent: 'jackstay-class-a/agent',
    class: 'a',
    podName: 'agent-0',
    podUid: uid,
    thumbprint: kid,
    publicKey: { crv: 'Ed25519', kty: 'OKP', x: 'A'.repeat(43) },
  }

  it('is one public key of one Pod', () => {
    refuses(agentKeySpec, right, {
      agent: ['agent', ''],
      podUid: ['', '*', undefined],
      thumbprint: ['', 'short', undefined],
      publicKey: [
        { ...right.publicKey, d: 'secret' },
        { ...right.publicKey, crv: 'P-256' },
      ],
      revoked: [false],
    })
  })
})

describe('Intent', () => {
  it('carries the signed bytes and what a reader needs to find it', () => {
    const right = {
      agent: 'jackstay-class-a/agent',
      action: 'workload.scale',
      target: 'Deployment shop/web',
      jws: 'a.b.c',
    }
    refuses(intentObjectSpec, right, {
      agent: ['agent'],
      action: ['scale'],
      target: ['x'.repeat(601)],
      jws: [undefined, 'x'.repeat(32 * 1024 + 1)],
      approved: [true],
    })
  })
})
