import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { nothingDisrupted } from '@jackstay/contract/plan'
import fc from 'fast-check'
import { type RiskInput, type RiskPart, risk, riskParts } from './risk.ts'

type Radius = RiskInput['blastRadius']

const small: RiskInput = {
  blastRadius: {
    ...{ ...nothingDisrupted, objects: 1, pods: 1, readyReplicasLost: 0, namespaces: ['shop'] },
  },
  reversibility: 'inverse',
}
const reach = (changes: Partial<Radius>): RiskInput => ({
  ...small,
  blastRadius: { ...small.blastRadius, ...changes },
})
const part = (name: RiskPart, input: RiskInput) => risk(input).parts[name]

const at = { namespace: 'shop', name: 'web' }
const budget = (lost: number, allowed?: number): Radius['budgets'][number] => ({
  ...{ ...at, lost, ...(allowed !== undefined && { allowed, headroom: allowed - lost }) },
})
const scaler = (headroom?: number, fights = false): Radius['autoscalers'][number] => ({
  ...{ ...at, min: 1, max: 9, fights, ...(headroom !== undefined && { headroom }) },
})
const workload = (lost: number): Radius['workloads'][number] => ({
  ...at,
  kind: 'Deployment',
  lost,
})
const quota = (leftPercent?: number): Radius['quotas'][number] => ({
  ...{ ...at, resource: 'pods', ...(leftPercent !== undefined && { leftPercent }) },
})

const maybe = (least: number, most: number) =>
  fc.option(fc.integer({ min: least, max: most }), { nil: undefined })
const input: fc.Arbitrary<RiskInput> = fc.record({
  blastRadius: fc
    .record({
      objects: fc.nat(20),
      pods: fc.nat(3000),
      readyReplicasLost: fc.nat(3000),
      namespaces: fc.subarray(['shop', 'bank', 'mail', 'dns']),
      workloads: fc.array(fc.nat(9).map(workload), { maxLength: 3 }),
      budgets: fc.array(
        fc.tuple(fc.nat(9), maybe(0, 9)).map(([lost, allowed]) => budget(lost, allowed)),
      ),
      autoscalers: fc.array(
        fc.tuple(maybe(-3, 9), fc.boolean()).map(([room, fights]) => scaler(room, fights)),
      ),
      quotas: fc.array(maybe(-100, 100).map(quota)),
      criticality: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
      share: maybe(0, 100),
    })
    .map(({ share, ...rest }) => ({
      ...rest,
      ...(share !== undefined && { sharePercent: share }),
    })),
  reversibility: fc.constantFrom('inverse', 'self-healing', 'irreversible'),
})

/** The same change, worse in one respect, or known worse. */
function worse(i: RiskInput, by: number): readonly RiskInput[] {
  const { sharePercent, ...rest } = i.blastRadius
  const { objects, pods, readyReplicasLost, namespaces, workloads, budgets, autoscalers, quotas } =
    rest
  const wider = (changes: Partial<Radius>) => ({
    ...i,
    blastRadius: { ...i.blastRadius, ...changes },
  })
  return [
    wider({ objects: objects + by }),
    wider({ pods: pods + by }),
    wider({ readyReplicasLost: readyReplicasLost + by }),
    wider({ namespaces: [...namespaces, 'more'] }),
    { ...i, blastRadius: rest },
    ...(sharePercent === undefined
      ? []
      : [wider({ sharePercent: Math.min(100, sharePercent + by) })]),
    { ...i, reversibility: i.reversibility === 'inverse' ? 'self-healing' : 'irreversible' },
    wider({ criticality: 'high' }),
    wider({ workloads: workloads.map((w) => ({ ...w, lost: w.lost + by })) }),
    wider({ budgets: budgets.map(({ lost, allowed }) => budget(lost + by, allowed)) }),
    wider({
      budgets: budgets.map((b) =>
        budget(b.lost, b.allowed === undefined ? undefined : Math.max(0, b.allowed - by)),
      ),
    }),
    wider({ budgets: budgets.map(({ lost }) => budget(lost)) }),
    wider({
      autoscalers: autoscalers.map(({ headroom, fights }) =>
        scaler(headroom ? headroom - by : headroom, fights),
      ),
    }),
    wider({ autoscalers: autoscalers.map(({ fights }) => scaler(undefined, fights)) }),
    wider({ autoscalers: autoscalers.map(({ headroom }) => scaler(headroom, true)) }),
    wider({ quotas: [...quotas, quota(10)] }),
    wider({ quotas: quotas.map(() => quota()) }),
  ]
}

describe('risk', () => {
  it('has parts whose ceilings add up to 100, as the reference lists them', () => {
    assert.equal(
      Object.values(riskParts).reduce((sum, most) => sum + most, 0),
      100,
    )
    const page = readFileSync(new URL('../../docs/reference/risk.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, most]) => [
      name,
      Number(most),
    ])
    assert.deepEqual(Object.fromEntries(rows), riskParts)
  })
  it('gives the figures of the reference', () => {
    assert.equal(risk(small).score, 1 + 7)
    assert.equal(part('objects', reach({ objects: 4 })), 3)
    assert.equal(part('namespaces', reach({ namespaces: ['a', 'b', 'b'] })), 2)
    assert.deepEqual(
      [0, 1, 2, 3, 4, 100, 512, 100_000].map((pods) => part('pods', reach({ pods }))),
      [0, 1, 2, 2, 3, 7, 10, 10],
    )
    assert.deepEqual(
      [0, 1, 25, 50, 100].map((sharePercent) => part('share', reach({ sharePercent }))),
      [0, 1, 5, 10, 20],
    )
    assert.equal(part('reversibility', { ...small, reversibility: 'irreversible' }), 20)
    assert.deepEqual(
      (['low', 'medium', 'high'] as const).map((v) =>
        part('criticality', reach({ criticality: v })),
      ),
      [0, 7, 15],
    )
    const budgets = [budget(0, 0), budget(1, 4), budget(1, 2)]
    assert.deepEqual(
      budgets.map((one) => part('budgets', reach({ budgets: [one] }))),
      [0, 2, 3],
    )
    assert.equal(part('budgets', reach({ budgets })), 3)
    const losing = (...autoscalers: Radius['autoscalers']) =>
      part('autoscalers', reach({ workloads: [workload(4)], autoscalers }))
    assert.deepEqual(
      [4, 2, 0].map((room) => losing(scaler(room))),
      [0, 3, 5],
    )
    assert.equal(part('autoscalers', reach({ autoscalers: [scaler(0)] })), 0)
    assert.equal(part('autoscalers', reach({ autoscalers: [scaler(9, true)] })), 5)
    assert.equal(part('quotas', reach({ quotas: [quota(75), quota(40)] })), 3)
    assert.equal(part('quotas', reach({ quotas: [quota(-10)] })), 5)
  })
  it('counts in full what it does not know', () => {
    const { sharePercent: _, ...unknown } = small.blastRadius
    assert.equal(part('share', { ...small, blastRadius: unknown }), 20)
    assert.equal(part('pods', reach({ pods: Number.NaN })), 10)
    assert.equal(part('budgets', reach({ budgets: [budget(1)] })), 5)
    assert.equal(
      part('autoscalers', reach({ workloads: [workload(1)], autoscalers: [scaler()] })),
      5,
    )
    assert.equal(part('quotas', reach({ quotas: [quota()] })), 5)
  })
  it('is a whole number from 0 to 100, the sum of whole parts within their ceilings', () => {
    fc.assert(
      fc.property(input, (i) => {
        const { score, parts } = risk(i)
        assert.ok(Number.isInteger(score) && score >= 0 && score <= 100)
        let sum = 0
        for (const [name, most] of Object.entries(riskParts)) {
          const value = new Map(Object.entries(parts)).get(name) ?? Number.NaN
          assert.ok(Number.isInteger(value) && value >= 0 && value <= most, name)
          sum += value
        }
        assert.equal(sum, score)
      }),
    )
  })
  it('no part falls when anything gets worse, or is not known any more (T26, T29)', () => {
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 500 }), (i, by) => {
        const before = risk(i).parts
        for (const other of worse(i, by)) {
          const after = risk(other).parts
          for (const [name, value] of Object.entries(before)) {
            const now = new Map(Object.entries(after)).get(name) ?? -1
            assert.ok(now >= value, `${name}: ${JSON.stringify(other)}`)
          }
        }
      }),
      { numRuns: 500 },
    )
  })
})
