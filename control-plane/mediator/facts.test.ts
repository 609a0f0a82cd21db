import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ActionPolicySpec } from '@jackstay/contract/kinds/action-policy'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { compileWindow } from '@jackstay/judge/windows'
import { projectQuota } from './cluster-caches.ts'
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
