import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { reportLines } from './report.ts'
import type { Pace } from './schedule/schedule.ts'
import { type SoakReport, soak } from './soak.ts'
import { judge } from './verdict/verdict.ts'
import { Witness } from './witness/witness.ts'
import { Doings } from './world/doings.ts'
import { type Ground, layGround, noSoak } from './world/ground.ts'

/** More of everything than in a long soak: there is little time. */
const pace: Pace = {
  ...{ ask: 300, slip: 1_000, attack: 1_000, kill: 7_000 },
  ...{ fault: 5_000, stop: 4_000, rules: 7_000, edit: 2_000 },
}

const seed = 20_260_101

describe('twenty seconds of everything at once', { skip: await noSoak() }, () => {
  let ground: Ground
  let doings: Doings
  let witness: Witness
  let report: SoakReport
  before(async () => {
    ground = await layGround(() => undefined)
    doings = new Doings(ground, seed)
    witness = await Witness.call(ground)
    const { signal } = new AbortController()
    const options = { seed, lengthMs: 20_000, pace, signal, onProgress: () => undefined }
    report = await soak({ ground, doings, witness }, options)
  })
  after(async () => {
    await witness?.[Symbol.asyncDispose]()
    await ground?.[Symbol.asyncDispose]()
  })

  it('breaks no promise', () => {
    assert.deepEqual(report.violations, [], reportLines(report).join('\n'))
    assert.ok(report.effects > 0, 'and something was done at all')
    assert.ok(report.ledger.length >= 3)
  })

  it('and the verdict sees a write behind the mediator’s back, by the API server’s own log (T79)', async () => {
    const { class: name, namespace, targets } = ground.parties.strict
    const { w } = ground
    const executor = w.executor(name, {
      'jackstay.dev/intent': ['0190b6a0-0000-7000-8000-000000000000'],
      'jackstay.dev/agent': [`${namespace}/agent`],
      'jackstay.dev/action': ['workload.scale'],
    })
    const ref = {
      apiVersion: 'apps/v1',
      resource: 'deployments',
      namespace: targets,
      name: 'web-3',
    }
    const write = async () => {
      // a controller's status write may come between reading and patching
      const { uid = '', resourceVersion = '' } = (await w.admin.get(ref)).metadata
      const preconditions = { uid, resourceVersion }
      return (await executor.mergePatch(ref, { spec: { replicas: 77 } }, { preconditions })).kind
    }
    await w.until(async () => (await write()) === 'applied', 'the executor wrote')
    const { violations } = judge(await witness.evidence(doings.book, doings.chaos))
    assert.deepEqual(violations.map(({ promise }) => promise).toSorted(), [
      'every write of an executor has one allowed intent',
      'nothing else changed',
    ])
  })

  it('and it sees a leaf that was taken out, and an effect that came twice (T46, T69)', () => {
    const { evidence } = report
    const dispatch = evidence.leaves.find(({ kind }) => kind === 'dispatch')
    const leaves = evidence.leaves.filter((leaf) => leaf !== dispatch)
    assert.match(JSON.stringify(judge({ ...evidence, leaves }).violations), /no leaf is missing/)
    const effect = evidence.writes.find(({ user, code }) => /executors/.test(user) && code === 200)
    assert.ok(effect)
    const writes = [...evidence.writes, { ...effect, auditId: 'again' }]
    assert.match(JSON.stringify(judge({ ...evidence, writes }).violations), /at most one effect/)
  })
})
