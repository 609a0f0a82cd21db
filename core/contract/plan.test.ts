import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { id, planOf } from './intent-builder.ts'
import { sha256 } from './json.ts'
import { type DigestInput, type Plan, plan, planDigest, type Reading } from './plan.ts'

const inputOf = (changes: Partial<DigestInput> = {}): DigestInput => ({
  intentId: id,
  jwsDigest: sha256('a.b.c'),
  plan: planOf(),
  rulesHash: sha256('rules'),
  catalogueVersion: 'v1',
  ...changes,
})
const withPlan = (changes: Partial<Plan>) => inputOf({ plan: planOf(changes) })
const base = planDigest(inputOf())
const other = '00000000-0000-4000-8000-00000000000f'
const { target, reads, writes } = planOf()
const [write] = writes
assert.ok(write?.verb === 'patch')
const withWrite = (changes: Partial<typeof write>) =>
  withPlan({ writes: [{ ...write, ...changes }] })
const object = { ...target }

describe('the digest people approve', () => {
  it('covers everything that decides what is written, for whom and under which rules', () => {
    const of = 'Deployment shop/web'
    const covered: Record<string, DigestInput> = {
      'the intent': inputOf({ intentId: id.replace(/1$/, '2') }),
      'the signed bytes': inputOf({ jwsDigest: sha256('a.b.d') }),
      'the rules': inputOf({ rulesHash: sha256('other rules') }),
      'the catalogue': inputOf({ catalogueVersion: 'v2' }),
      'the action': withPlan({ action: 'workload.restart' }),
      'the executor': withPlan({ executor: 'system:serviceaccount:jackstay-executors:b' }),
      'uid of the target': withPlan({ target: { ...object, uid: other } }),
      'name of the target': withPlan({ target: { ...object, name: 'api' } }),
      'namespace of the target': withPlan({ target: { ...object, namespace: 'pay' } }),
      'no reads': withPlan({ reads: [] }),
      'one more read': withPlan({
        reads: [...reads, { of, path: '/spec/paused', value: 'absent' }],
      }),
      'what was read': withPlan({
        reads: [{ of, path: '/metadata/labels/owner', value: { is: 'x' } }],
      }),
      'absence against null': withPlan({
        reads: [{ of, path: '/metadata/labels/owner', value: { is: null } }],
      }),
      'absence against the word': withPlan({
        reads: [{ of, path: '/metadata/labels/owner', value: { is: 'absent' } }],
      }),
      'the write': withWrite({ body: { spec: { replicas: 6 } } }),
      'uid of what is written': withWrite({ object: { ...object, uid: other } }),
      'resource of what is written': withWrite({ object: { ...object, resource: 'statefulsets' } }),
      'the pre-image': withWrite({ before: [{ of, path: '/spec/replicas', value: { is: 3 } }] }),
      'the post-image': withWrite({ after: [{ of, path: '/spec/replicas', value: { is: 6 } }] }),
      'the inverse': withWrite({ inverse: { body: { spec: { replicas: 0 } } } }),
      'one more write': withPlan({ writes: [write, { ...write, id: 'w2' }] }),
    }
    const digests = Object.entries(covered).map(([what, input]) => {
      assert.ok(plan.safeParse(input.plan).success, what)
      assert.notEqual(planDigest(input), base, what)
      return planDigest(input)
    })
    assert.equal(new Set(digests).size, digests.length)
  })

  it('covers the order of writes', () => {
    const two = [write, { ...write, id: 'w2', body: { spec: { paused: true } } }]
    const ahead = planDigest(withPlan({ writes: two }))
    assert.notEqual(planDigest(withPlan({ writes: two.toReversed() })), ahead)
  })

  it('leaves out what moves by itself in an incident, and words for people', () => {
    const { blastRadius } = planOf()
    for (const changes of [
      { observed: {} },
      { observed: { readyReplicas: 0, note: 'moved' } },
      { blastRadius: { ...blastRadius, readyReplicasLost: 2, pods: 9 } },
      { summary: 'something else' },
    ]) {
      assert.equal(planDigest(withPlan(changes)), base, JSON.stringify(changes))
    }
  })

  it('has no place for a resourceVersion', () => {
    const bound = { ...object, resourceVersion: '41' }
    assert.equal(plan.safeParse(planOf({ target: bound })).success, false)
    const written = { ...write, object: bound }
    assert.equal(plan.safeParse(planOf({ writes: [written] })).success, false)
  })

  it('does not care how the input was put together', () => {
    const reversed = Object.fromEntries(Object.entries(planOf()).toReversed())
    assert.equal(planDigest(inputOf({ plan: plan.parse(reversed) })), base)
  })

  it('differs when bytes move between neighbouring fields (T15)', () => {
    const reading = (of: string, path: string): Reading => ({ of, path, value: 'absent' })
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(text, text, fc.nat(), (left, right, at) => {
        const whole = left + right
        const cut = at % (whole.length + 1)
        fc.pre(cut !== left.length)
        const [l, r] = [whole.slice(0, cut), whole.slice(cut)]
        fc.pre(l.isWellFormed() && r.isWellFormed() && (l !== left || r !== right))
        const pairs: [DigestInput, DigestInput][] = [
          [withPlan({ reads: [reading(left, right)] }), withPlan({ reads: [reading(l, r)] })],
          [withPlan({ action: left, executor: right }), withPlan({ action: l, executor: r })],
          [
            inputOf({ intentId: left, catalogueVersion: right }),
            inputOf({ intentId: l, catalogueVersion: r }),
          ],
          [withWrite({ body: { [left]: right } }), withWrite({ body: { [l]: r } })],
          [
            withPlan({ target: { ...object, namespace: left, name: right } }),
            withPlan({ target: { ...object, namespace: l, name: r } }),
          ],
        ]
        for (const [a, b] of pairs) assert.notEqual(planDigest(a), planDigest(b))
      }),
    )
  })

  it('differs when an item moves from the reads to a pre-image', () => {
    const [read] = reads
    assert.ok(read)
    const moved = planOf({ reads: [], writes: [{ ...write, before: [read, ...write.before] }] })
    assert.notEqual(planDigest(inputOf({ plan: moved })), base)
  })
})

describe('a plan', () => {
  it('has at least one write, each with what it was and will be', () => {
    assert.ok(plan.safeParse(planOf()).success)
    const bad: object[] = [
      { writes: [] },
      { writes: Array.from({ length: 65 }, () => write) },
      { writes: [{ ...write, before: [] }] },
      { writes: [{ ...write, after: [] }] },
      { writes: [{ ...write, verb: 'delete' }] },
      { writes: [{ ...write, id: 'w0' }] },
      { writes: [{ ...write, inverse: undefined }] },
      { writes: [{ ...write, body: undefined }] },
      { target: { ...target, uid: undefined } },
      { target: { ...target, resource: 'deployments/scale' } },
      { reads: [{ of: 'x', path: '/y', value: {} }] },
      { reads: [{ of: 'x', path: '/y', value: 'missing' }] },
      { reads: [{ of: 'x', path: '/y', value: { is: undefined } }] },
      { blastRadius: { objects: -1, pods: 0, readyReplicasLost: 0, namespaces: [] } },
      { reversibility: 'maybe' },
      { confidence: 1 },
    ]
    for (const changes of bad) {
      assert.equal(
        plan.safeParse({ ...planOf(), ...changes }).success,
        false,
        JSON.stringify(changes),
      )
    }
  })
})
