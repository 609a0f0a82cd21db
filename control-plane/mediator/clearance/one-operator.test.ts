import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ApprovalRequirement } from '@jackstay/contract/decision'
import { sha256 } from '@jackstay/contract/json'
import type { ActionPolicySpec } from '@jackstay/contract/kinds/action-policy'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { decide } from '@jackstay/judge/decide'
import { compileRules } from '@jackstay/judge/rules'
import fc from 'fast-check'
import { statusOf } from '../cluster/projection.ts'
import { allowAll, classSpec, Line } from '../line/line-builder.ts'
import type { ApprovalView } from '../ports.ts'
import { onceWindow, viewOf } from '../windows/window-builder.ts'
import { granted, windowGrant } from './grant.ts'
import { asOneOperator } from './one-operator.ts'

const people = (name: string, count: number, groups = ['oncall'], more = {}) => ({
  name,
  requireApproval: { when: 'true', count, groups, ...more },
})
const policy = (...rules: ActionPolicySpec['rules']): ActionPolicySpec => ({
  ...allowAll,
  rules: [...allowAll.rules, ...rules],
})
const two = policy(people('four-eyes', 2))
const agent = 'system:serviceaccount:jackstay-class-a:agent'

/** The line under rules that ask people, whose workload becomes available with its write. */
function asked(rules: ActionPolicySpec, oneOperator: boolean): Line {
  const line = new Line()
  line.policies = [rules]
  line.oneOperator = oneOperator
  line.onEffect = (point) => {
    if (point.startsWith('after write')) line.cluster.available = line.cluster.replicas
  }
  return line
}

const requirements = fc.array(
  fc.record<ApprovalRequirement>(
    {
      from: fc.constantFrom('p/a', 'p/b', 'class/sre'),
      count: fc.integer({ min: -1, max: 9 }),
      groups: fc.array(fc.constantFrom('oncall', 'leads', 'dba'), { maxLength: 3 }),
      expiresAfter: fc.integer({ min: 1, max: 3600 }),
      separate: fc.boolean(),
    },
    { requiredKeys: ['from', 'count', 'groups', 'expiresAfter'] },
  ),
  { maxLength: 5 },
)

describe('requirements of one-operator mode', () => {
  it('are untouched without it', () => {
    fc.assert(
      fc.property(requirements, (some) => {
        assert.deepEqual(asOneOperator(some, false), { requirements: some, waived: [] })
      }),
    )
  })

  it('lose numbers above one and separation, and nothing else', () => {
    fc.assert(
      fc.property(requirements, (some) => {
        const { requirements: lowered, waived } = asOneOperator(some, true)
        const expected = some.map(({ separate: _, count, ...rest }) => ({
          ...rest,
          count: count > 1 ? 1 : count,
        }))
        assert.deepEqual(lowered, expected)
        const given = some.map((r) => Number(r.count > 1) + Number(r.separate === true))
        assert.equal(
          waived.length,
          given.reduce((sum, n) => sum + n, 0),
        )
      }),
    )
  })
})

describe('one-operator mode', () => {
  it('lets one approval do where two are asked, and without it nothing is lowered', async () => {
    const one = asked(two, true)
    assert.equal(await one.go(), 'approve')
    one.approve()
    assert.equal(await one.toEnd(), 'verified/succeeded')
    const usual = asked(two, false)
    await usual.go()
    usual.approve()
    assert.equal(await usual.go(), 'approve')
    // the same person by another spelling is no second one
    usual.approve({ name: 'again', approver: 'ONCALL-1' })
    assert.equal(await usual.go(), 'approve')
    assert.deepEqual(usual.cluster.effects, [])
    usual.approve({ name: 'other', approver: 'oncall-2' })
    assert.equal(await usual.toEnd(), 'verified/succeeded')
  })

  it('lets one person serve requirements that want separate people, if in the groups of each', async () => {
    const apart = policy(
      people('oncall', 1, ['oncall'], { separate: true }),
      people('leads', 1, ['leads']),
    )
    const one = asked(apart, true)
    await one.go()
    one.approve()
    assert.equal(await one.go(), 'approve', 'the leads were not asked yet')
    one.approve({ name: 'both', groups: ['oncall', 'leads'] })
    assert.equal(await one.toEnd(), 'verified/succeeded')
    const usual = asked(apart, false)
    await usual.go()
    usual.approve({ groups: ['oncall', 'leads'] })
    assert.equal(await usual.go(), 'approve')
  })

  it('counts neither the agent nor a program, nor groups and digests that nobody asked for (T52, T54)', async () => {
    const wrong: Partial<ApprovalView>[] = [
      { approver: agent },
      { approver: `${agent} ` },
      { approver: 'system:serviceaccount:ci:bot' },
      { approver: 'system:admin' },
      { groups: ['developers'] },
      { groups: [] },
      { digest: sha256('another plan') },
      { namespace: 'elsewhere' },
    ]
    for (const one of wrong) {
      const line = asked(two, true)
      await line.go()
      line.approve(one)
      assert.equal(await line.go(), 'approve', JSON.stringify(one))
      assert.deepEqual(line.cluster.effects, [])
    }
  })

  it('takes a no for a no, and no answer for none (T53)', async () => {
    const line = asked(two, true)
    await line.go()
    line.approve()
    line.approve({ name: 'no', approver: 'oncall-2', verdict: 'reject' })
    assert.equal(await line.toEnd(), 'rejected/rejected')
    const silent = asked(two, true)
    await silent.go()
    silent.now += 3601_000
    assert.equal(await silent.toEnd(), 'expired/approval_expired')
  })

  const denials: [string, (line: Line) => void, string][] = [
    [
      'a class whose approval is by nobody (T58)',
      (l) => {
        const defaultApproval = { count: 0, groups: ['oncall'] }
        l.class = { ...classSpec, autonomy: 'act-with-approval', defaultApproval }
        l.policies = [allowAll]
      },
      'refused/denied',
    ],
    [
      'a requirement without groups (T58)',
      (l) => {
        const defaultApproval = { count: 2, groups: [] }
        l.class = { ...classSpec, autonomy: 'act-with-approval', defaultApproval }
        l.policies = [allowAll]
      },
      'refused/denied',
    ],
    ['what no rule allows', (l) => (l.policies = []), 'refused/denied'],
    [
      'what a rule denies',
      (l) => (l.policies = [policy({ name: 'no', deny: { when: 'true' } })]),
      'refused/denied',
    ],
    [
      'a class that may only observe',
      (l) => (l.class = { ...classSpec, autonomy: 'observe' }),
      'refused/outside_class',
    ],
    [
      'a class that may only propose',
      (l) => (l.class = { ...classSpec, autonomy: 'propose' }),
      'proposed/autonomy',
    ],
    [
      'a suspended class (T73)',
      (l) => l.suspensions.push({ class: 'a', reason: 'stop' }),
      'refused/suspended',
    ],
    [
      'a freeze',
      (l) => {
        const peak = onceWindow('freeze', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')
        l.windows = [viewOf('peak', peak).window]
      },
      'refused/window_closed',
    ],
  ]
  for (const [what, prepare, expected] of denials) {
    it(`lifts no denial: ${what}`, async () => {
      for (const oneOperator of [true, false]) {
        const line = asked(two, oneOperator)
        prepare(line)
        line.approve({ digest: sha256('') })
        assert.equal(await line.toEnd(), expected)
        assert.deepEqual(line.cluster.effects, [])
      }
    })
  }

  it('never lets what cannot be taken back go without a person', async () => {
    const { rules } = compileRules([{ name: 'p', spec: allowAll }])
    const line = asked(allowAll, true)
    line.rules = {
      decide: async ({ facts, ...rest }) => {
        const plan = { ...facts.plan, reversibility: 'irreversible' as const }
        return decide({ ...rest, rules, facts: { ...facts, plan } })
      },
    }
    assert.equal(await line.go(), 'approve')
    assert.deepEqual(line.cluster.effects, [])
    line.approve()
    assert.equal(await line.toEnd(), 'verified/succeeded')
  })

  it('forbids nothing: what needs nobody goes on, and nothing is said to be waived', async () => {
    const line = asked(allowAll, true)
    assert.equal(await line.toEnd(), 'verified/succeeded')
    assert.equal(line.record().dispatched?.decision.waived, undefined)
  })

  it('says in decision, log and Intent what was given up', async () => {
    const line = asked(policy(people('four-eyes', 2, ['oncall'], { separate: true })), true)
    await line.go()
    const { waived = [] } = line.record().rehearsed?.decision ?? {}
    assert.match(waived[0] ?? '', /one-operator mode: `p0\/four-eyes` asks for 2 approvals/)
    assert.match(waived[1] ?? '', /asks for separate people, one may serve all/)
    const { needs = [], message } = statusOf(line.record())
    assert.deepEqual(needs, ['1 approval(s) by oncall (p0/four-eyes)', ...waived])
    assert.match(message ?? '', /one-operator mode/)
    assert.match(JSON.stringify(line.leaves), /asks for 2 approvals, one counts/)
  })
})

describe('one-operator mode that changes while people are asked', () => {
  it('ended, voids what waits under it: asked again, all of it is needed', async () => {
    for (const when of ['before anybody approved', 'after']) {
      const line = asked(two, true)
      await line.go()
      if (when === 'after') line.approve()
      line.oneOperator = false
      assert.equal(await line.toEnd(), 'obsolete/policy_changed', when)
      assert.match(line.record().ended?.message ?? '', /one-operator mode was turned off/)
      assert.deepEqual(line.cluster.effects, [])
    }
    const again = asked(two, false)
    await again.go()
    assert.equal(again.record().rehearsed?.decision.requirements[0]?.count, 2)
  })

  it('ended, leaves alone what nothing was waived of', async () => {
    const line = asked(policy(people('one', 1)), true)
    await line.go()
    line.oneOperator = false
    line.approve()
    assert.equal(await line.toEnd(), 'verified/succeeded')
  })

  it('begun, lowers nothing of what people were asked before (T20)', async () => {
    const line = asked(two, false)
    await line.go()
    line.oneOperator = true
    line.approve()
    assert.equal(await line.go(), 'approve')
    assert.deepEqual(line.cluster.effects, [])
  })
})

describe('grants in one-operator mode', () => {
  const hash = sha256('this spec')
  const uid = '33333333-3333-4333-8333-333333333333'
  const yes = (approver: string): ApprovalView => ({
    ...{ name: `by-${approver}`, uid, namespace: systemNamespace, approver, groups: ['oncall'] },
    ...{ verdict: 'approve', reason: 'fine', at: '2026-01-01T12:00:00Z', digest: hash },
    subject: { kind: 'AgentClass', name: 'a', uid },
  })
  const ofClass = (count: number, given: readonly ApprovalView[], oneOperator: boolean) => {
    const spec = { ...classSpec, grant: { count, groups: ['oncall'] } }
    return granted({ name: 'a', uid, hash, spec }, { approvalsOf: () => given }, oneOperator)
  }

  it('of a class count one person, say so, and are gone without the mode', () => {
    const one = ofClass(2, [yes('oncall-1')], true)
    assert.ok(one.granted)
    assert.match(one.message, /asks for 2 approvals, one counts/)
    assert.equal(ofClass(2, [yes('oncall-1')], false).granted, false)
    assert.ok(ofClass(2, [yes('oncall-1'), yes('oncall-2')], false).granted)
  })

  it('by nobody, by a program or of nobody are none in either', () => {
    for (const oneOperator of [true, false]) {
      assert.equal(ofClass(2, [], oneOperator).granted, false)
      assert.equal(ofClass(1, [yes(agent)], oneOperator).granted, false)
      assert.equal(ofClass(0, [yes('oncall-1')], oneOperator).granted, false, 'asks for nobody')
    }
  })

  it('of a break-glass window may be by its maker, in this mode alone', () => {
    const spec = onceWindow('breakGlass', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', {
      ...{ madeBy: 'oncall-1', reason: 'incident 7', grant: { count: 1, groups: ['oncall'] } },
    })
    const view = { ...viewOf('glass', spec), hash }
    const grant = (oneOperator: boolean, by: string) =>
      windowGrant(view, () => [yes(by)], oneOperator)?.granted
    assert.equal(grant(true, 'oncall-1'), true)
    assert.equal(grant(false, 'oncall-1'), false)
    assert.equal(grant(false, 'ONCALL-1'), false, 'another spelling is the same person')
    assert.equal(grant(false, 'oncall-2'), true)
  })
})
