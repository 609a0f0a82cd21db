import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ActionPolicySpec } from '@jackstay/contract/kinds/action-policy'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { labelSelector } from '@jackstay/contract/label-selector'
import type { BudgetView } from '@jackstay/judge/disruption'
import { compileWindow } from '@jackstay/judge/windows'
import { projectQuota } from '../surroundings/caches.ts'
import { maxIncidents } from './facts.ts'
import { allowAll, askPeople, Line } from './line-builder.ts'

const denyWhen = (when: string): ActionPolicySpec => ({
  ...allowAll,
  rules: [...allowAll.rules, { name: 'no', deny: { when } }],
})

async function refusal(line: Line): Promise<string> {
  await line.go()
  return line.record().ended?.message ?? 'not refused'
}

describe('facts', () => {
  it('tell rules of alerts that fire', async () => {
    const line = new Line()
    line.policies = [denyWhen('cluster.incidents.exists(i, i.namespace != target.namespace)')]
    line.incidents = [{ namespace: 'bank', name: 'Down' }]
    assert.equal(await refusal(line), 'denied by p0/no')
  })
  it('are missing, and nothing is allowed, where more alerts fire than can be told', async () => {
    const line = new Line()
    line.incidents = Array(maxIncidents).fill({ namespace: 'shop', name: 'Down' })
    assert.notEqual(await line.go(), 'refused/denied')
    const flooded = new Line()
    flooded.incidents = [...line.incidents, { namespace: 'bank', name: 'Down' }]
    assert.match(await refusal(flooded), /denied because a fact is missing: more than 500 alerts/)
  })
  it('that are missing for a while end no waiting for people, and stop a dispatch', async () => {
    const line = new Line()
    line.policies = [askPeople]
    assert.equal(await line.go(), 'approve')
    line.incidents = Array(maxIncidents + 1).fill({ namespace: 'shop', name: 'Down' })
    assert.equal(await line.go(), 'approve')
    line.approve()
    assert.match(await refusal(line), /^at dispatch: denied because a fact is missing/)
    assert.deepEqual(line.cluster.effects, [])
  })
  it('are missing, and nothing is allowed, where the namespace is not known (T17)', async () => {
    const line = new Line()
    // known to every gate, gone when the rules are asked: with the answer of the dry-run
    const read = line.cluster.object.bind(line.cluster)
    let reads = 0
    line.cluster.object = () => {
      line.namespaceLost = ++reads >= 3
      return read()
    }
    assert.match(await refusal(line), /a fact is missing: the namespace `shop` is not known/)
  })
  it('tell rules of quotas, and an unread one is no zero', async () => {
    const line = new Line()
    const status = { hard: { pods: '10' }, used: { pods: '9' } }
    const spec = { hard: { pods: '10', 'requests.cpu': '4' } }
    line.quotas = [projectQuota({ metadata: { name: 'q', namespace: 'shop' }, spec, status })]
    assert.deepEqual(line.quotas[0]?.limits, [
      { resource: 'pods', hard: '10', used: '9' },
      { resource: 'requests.cpu', hard: '4', used: '' },
    ])
    line.policies = [denyWhen('namespace.quotas.exists(q, q.resource == "pods" && q.used == "9")')]
    assert.equal(await refusal(line), 'denied by p0/no')
    const uncounted = new Line()
    uncounted.quotas = line.quotas
    uncounted.policies = [denyWhen('namespace.quotas.exists(q, double(q.used) > 9.5)')]
    assert.match(await refusal(uncounted), /denied because p0\/no failed/)
  })
  it('are missing where a namespace has more quotas than a judgement should cost', async () => {
    const line = new Line()
    const hard = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`count/k${i}`, '1']))
    const metadata = { name: 'q', namespace: 'shop' }
    line.quotas = [projectQuota({ metadata, spec: { hard }, status: { hard, used: hard } })]
    assert.match(await refusal(line), /a fact is missing: the namespace `shop` has more than 256/)
  })
  it('reckon the risk of the plan, part by part', async () => {
    const line = new Line({ replicas: 0 })
    const parts = '"share" in plan.risk.parts && plan.risk.parts["share"] == 20'
    line.policies = [denyWhen(`plan.risk.score >= 20 && ${parts}`)]
    assert.equal(await refusal(line), 'denied by p0/no')
  })
  const budget = (allowed: number | undefined): BudgetView => ({
    ...{ namespace: 'shop', name: 'web', allowed },
    selector: labelSelector.parse({}),
  })
  const beyondBudget = denyWhen('plan.blastRadius.budgets.exists(b, b.lost > 0 && b.headroom < 0)')

  it('say what share of a workload a plan takes, and what its budgets allow', async () => {
    const halved = new Line({ replicas: 1 })
    halved.policies = [denyWhen('plan.blastRadius.sharePercent > 50')]
    assert.equal(await halved.go(), 'verify')
    const emptied = new Line({ replicas: 0 })
    emptied.policies = halved.policies
    assert.equal(await refusal(emptied), 'denied by p0/no')
    for (const [allowed, outcome] of [
      [1, 'verify'],
      [0, 'refused/denied'],
    ] as const) {
      const line = new Line({ replicas: 1 })
      line.policies = [beyondBudget]
      line.budgets = [budget(allowed)]
      assert.equal(await line.go(), outcome)
    }
  })
  it('deny where a rule reads one that is not known (T18)', async () => {
    const uncounted = new Line({ replicas: 1 })
    uncounted.policies = [beyondBudget]
    uncounted.budgets = [budget(undefined)]
    assert.match(await refusal(uncounted), /denied because p0\/no failed/)
    const classless = new Line()
    classless.priority = undefined
    classless.policies = [denyWhen('plan.blastRadius.priority > 1000')]
    assert.match(await refusal(classless), /denied because p0\/no failed/)
    const crowded = new Line()
    crowded.budgets = Array.from({ length: 513 }, () => budget(9))
    assert.match(
      await refusal(crowded),
      /a fact is missing: the plan reaches more than 512 budgets/,
    )
  })
  it('tell rules of autoscalers, and of what the labels of the namespace say it matters', async () => {
    const line = new Line()
    const target = { kind: 'Deployment', name: 'web' }
    line.autoscalers = [{ namespace: 'shop', name: 'h', target, min: 1, max: 3 }]
    line.policies = [denyWhen('plan.blastRadius.autoscalers.exists(a, a.fights && a.max == 3)')]
    assert.equal(await refusal(line), 'denied by p0/no')
    const matters = new Line()
    matters.policies = [denyWhen('plan.blastRadius.criticality == "high"')]
    const ports = matters.ports.bind(matters)
    const named = new Map([
      ['shop', { 'jackstay.dev/criticality': 'high', 'jackstay.dev/governed': 'true' }],
    ])
    matters.ports = () => {
      const { cluster, ...rest } = ports()
      const namespace = (name: string) => {
        const labels = named.get(name)
        return labels ? { name, labels } : cluster.namespace(name)
      }
      return { ...rest, cluster: { ...cluster, namespace } }
    }
    assert.equal(await refusal(matters), 'denied by p0/no')
  })

  it('are those of the moment of dispatch: a budget that was used up meanwhile denies (T19)', async () => {
    const tried = async (allowed: number | undefined) => {
      const line = new Line({ replicas: 1 })
      line.policies = [askPeople, beyondBudget]
      line.budgets = [budget(1)]
      assert.equal(await line.go(), 'approve')
      line.approve()
      line.budgets = [budget(allowed)]
      await line.go()
      return [line.phase(), line.record().ended?.message, line.cluster.effects.length]
    }
    const [done, , written] = await tried(1)
    assert.deepEqual([done, written], ['verify', 1])
    assert.deepEqual(await tried(0), ['refused/denied', 'at dispatch: denied by p1/no', 0])
    const [phase, message, effects] = await tried(undefined)
    assert.deepEqual([phase, effects], ['refused/denied', 0])
    assert.match(String(message), /^at dispatch: denied because p1\/no failed/)
  })
  it("are the control plane's own: what an agent says of risk and reach is no fact (T29)", async () => {
    const words = {
      ...{ replicas: 0, sharePercent: 0, risk: 0, criticality: 'low', blastRadius: { pods: 0 } },
    }
    const line = new Line(words)
    line.budgets = [budget(0)]
    assert.equal(await line.go(), 'refused/invalid_params', 'no such parameter')
    const quiet = new Line({ replicas: 0 })
    quiet.budgets = [budget(0)]
    quiet.policies = [
      denyWhen(
        'plan.blastRadius.sharePercent == 100 && plan.blastRadius.budgets[0].headroom == -2 && plan.risk.score > 20',
      ),
    ]
    const { reasoning } = quiet.record().authenticated
    Object.assign(reasoning ?? {}, { summary: 'share 0 %, risk 0, criticality low' })
    assert.equal(await refusal(quiet), 'denied by p0/no')
  })
  it('are shown to those who approve, the risk part by part', async () => {
    const line = new Line({ replicas: 1 })
    line.policies = [askPeople]
    line.budgets = [budget(0)]
    line.autoscalers = []
    line.quotas = [
      { name: 'q', namespace: 'shop', limits: [{ resource: 'pods', hard: '10', used: '9' }] },
    ]
    assert.equal(await line.go(), 'approve')
    const { notes = [] } = line.record().rehearsed?.plan ?? {}
    assert.deepEqual(notes.slice(0, -1), [
      'risk 29 of 100: share 10, criticality 7, budgets 5, quotas 5, pods 1, readyReplicasLost 1',
      'takes 1 of 2 ready Pods of Deployment shop/web away (50 %)',
      'PodDisruptionBudget shop/web allows 0 disruptions now; this takes 1 ready Pods of it away',
      'ResourceQuota shop/q has 10 % of pods left with this',
    ])
  })
  it('say at dispatch that the window has closed meanwhile (T28)', async () => {
    const spec: ChangeWindowSpec = {
      ...{ effect: 'allow', cron: '0 9 * * 1-5', duration: '9h', timeZone: 'Asia/Dhaka' },
      ...{ actions: ['*'], namespaces: ['*'] },
    }
    const tried = async (approvedAt: string, dispatchedAt: string) => {
      const line = new Line()
      line.windows = [compileWindow({ name: 'office', spec })]
      line.policies = [askPeople]
      line.now = Date.parse(approvedAt) - 30_000
      assert.equal(await line.go(), 'approve')
      line.now = Date.parse(approvedAt)
      line.approve()
      line.now = Date.parse(dispatchedAt)
      await line.go()
      return [line.record().ended?.message, line.cluster.effects.length]
    }
    const open = await tried('2026-01-01T17:59:58+06:00', '2026-01-01T17:59:59+06:00')
    assert.deepEqual(open, [undefined, 1])
    const closed = await tried('2026-01-01T17:59:59+06:00', '2026-01-01T18:00:01+06:00')
    assert.deepEqual(closed, [
      'outside of every window that allows it: `office`; the next opens at 2026-01-02T03:00:00Z',
      0,
    ])
  })
  it('say that no window is defined', async () => {
    const line = new Line()
    const any = 'window.open || window.frozen || window.breakGlass'
    line.policies = [denyWhen(`!(${any}) && window.names == []`)]
    assert.equal(await refusal(line), 'denied by p0/no')
  })
})
