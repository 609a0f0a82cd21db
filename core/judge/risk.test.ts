import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { criticalityLabel, type RiskInput, type RiskPart, risk, riskParts } from './risk.ts'

const small: RiskInput = {
  blastRadius: { objects: 1, pods: 1, readyReplicasLost: 0, namespaces: ['shop'] },
  reversibility: 'inverse',
  readyReplicas: 4,
  labels: {},
  quotas: [],
}
const reach = (changes: Partial<RiskInput['blastRadius']>): RiskInput => ({
  ...small,
  blastRadius: { ...small.blastRadius, ...changes },
})
const part = (name: RiskPart, input: RiskInput) => risk(input).parts[name]
const labelled = (value: string) => ({ ...small, labels: { [criticalityLabel]: value } })

const input: fc.Arbitrary<RiskInput> = fc.record({
  blastRadius: fc.record({
    objects: fc.nat(20),
    pods: fc.nat(3000),
    readyReplicasLost: fc.nat(3000),
    namespaces: fc.subarray(['shop', 'bank', 'mail', 'dns']),
  }),
  reversibility: fc.constantFrom('inverse', 'self-healing', 'irreversible'),
  readyReplicas: fc.option(fc.nat(3000), { nil: undefined }),
  labels: fc
    .option(fc.constantFrom('low', 'medium', 'high', 'extreme', ''))
    .map((value): Record<string, string> => (value === null ? {} : { [criticalityLabel]: value })),
  quotas: fc.array(
    fc.record({
      hard: fc.constantFrom('0', '1', '10', '4Gi', ''),
      used: fc.constantFrom('0', '500m', '1', '3Gi', '', 'much'),
    }),
    { maxLength: 3 },
  ),
})

/** The same change, worse in one respect. */
function worse(i: RiskInput, by: number): readonly RiskInput[] {
  const { blastRadius: b } = i
  const wider = (changes: Partial<RiskInput['blastRadius']>) => ({
    ...i,
    blastRadius: { ...b, ...changes },
  })
  return [
    wider({ objects: b.objects + by }),
    wider({ pods: b.pods + by }),
    wider({ readyReplicasLost: b.readyReplicasLost + by }),
    wider({ namespaces: [...b.namespaces, 'more'] }),
    { ...i, reversibility: i.reversibility === 'inverse' ? 'self-healing' : 'irreversible' },
    {
      ...i,
      readyReplicas: i.readyReplicas === undefined ? undefined : Math.floor(i.readyReplicas / 2),
    },
    { ...i, readyReplicas: undefined },
    { ...i, labels: { [criticalityLabel]: 'high' } },
    { ...i, quotas: [...i.quotas, { hard: '10', used: '9' }] },
    { ...i, quotas: i.quotas.map((q) => ({ ...q, used: '' })) },
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
    assert.equal(part('objects', reach({ objects: 4 })), 6)
    assert.equal(part('namespaces', reach({ namespaces: ['a', 'b', 'b'] })), 5)
    assert.deepEqual(
      [0, 1, 2, 3, 4, 100, 512, 100_000].map((pods) => part('pods', reach({ pods }))),
      [0, 1, 2, 2, 3, 7, 10, 10],
    )
    assert.deepEqual(
      [1, 2, 3, 4].map((readyReplicasLost) => part('share', reach({ readyReplicasLost }))),
      [5, 10, 15, 20],
    )
    assert.equal(part('reversibility', { ...small, reversibility: 'irreversible' }), 20)
    assert.deepEqual(
      ['low', 'medium', 'high'].map((v) => part('criticality', labelled(v))),
      [0, 7, 15],
    )
    const quotas = [
      { hard: '4', used: '1' },
      { hard: '10Gi', used: '6Gi' },
    ]
    assert.equal(part('quota', { ...small, quotas }), 3)
  })
  it('counts in full what it does not know', () => {
    assert.equal(
      part('share', { ...reach({ readyReplicasLost: 1 }), readyReplicas: undefined }),
      20,
    )
    assert.equal(part('criticality', labelled('HIGH')), 15)
    assert.equal(part('pods', reach({ pods: Number.NaN })), 10)
    for (const quota of [
      { hard: '10', used: '' },
      { hard: '', used: '1' },
      { hard: '0', used: '0' },
    ]) {
      assert.equal(part('quota', { ...small, quotas: [quota] }), 5)
    }
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
  it('no part falls when anything gets worse (T26, T29)', () => {
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
