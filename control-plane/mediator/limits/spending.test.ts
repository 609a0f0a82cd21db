import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentClassSpec, ClassLimits } from '@jackstay/contract/kinds/agent-class'
import fc from 'fast-check'
import { askPeople, Crash, classSpec, Line, type LineOptions } from '../line/line-builder.ts'
import { recall, spendingLog } from './spending.ts'

const idOf = (n: number) => `01890a5d-ac96-7000-8000-${String(n).padStart(12, '0')}`
const limited = (limits: Partial<ClassLimits>): AgentClassSpec => ({
  ...classSpec,
  limits: { ...classSpec.limits, oscillation: { turns: 50, within: '1h' }, ...limits },
})

/** The n-th intent of a row that works on one Deployment. */
function intent(first: Line, n: number, replicas: number, options: LineOptions = {}): Line {
  const line = new Line({ replicas }, { id: idOf(n), beside: first, ...options })
  line.class = first.class
  line.policies = first.policies
  return line
}

function world(limits: Partial<ClassLimits>, replicas: number): Line {
  const first = new Line()
  first.class = limited(limits)
  first.cluster.replicas = replicas
  first.cluster.available = replicas
  return first
}

/** Scales, with the workload following at once. */
async function scale(line: Line, replicas: number): Promise<string> {
  line.cluster.available = replicas
  return await line.toEnd()
}

describe('the cumulative blast radius of a class', () => {
  it('denies the eleventh of fifty small scale-downs (T26)', async () => {
    const first = world({ budgets: [{ of: 'pods', most: 10, per: '1h' }] }, 100)
    const phases: string[] = []
    for (let n = 1; n <= 50; n++) phases.push(await scale(intent(first, n, 100 - n), 100 - n))
    const passed = phases.filter((phase) => phase === 'verified/succeeded')
    const denied = phases.filter((phase) => phase === 'refused/budget_exhausted')
    assert.deepEqual([passed.length, denied.length], [10, 40])
    assert.equal(first.cluster.replicas, 90)
  })

  it('says in the refusal what was left, and asks nobody for an approval', async () => {
    const first = world({ budgets: [{ of: 'readyReplicasLost', most: 3, per: '1h' }] }, 10)
    const one = intent(first, 1, 8)
    await one.go()
    assert.equal(await scale(one, 8), 'verified/succeeded')
    const second = intent(first, 2, 6)
    second.policies = [askPeople]
    assert.equal(await second.go(), 'refused/budget_exhausted')
    assert.match(
      second.record().ended?.message ?? '',
      /may reach 3 ready replicas lost in 1h and has 1 left; this change takes 2/,
    )
    assert.equal(second.record().ended?.stage, 'decide')
  })

  it('is asked again at dispatch, where others may have spent it meanwhile', async () => {
    const first = world({ budgets: [{ of: 'changes', most: 1, per: '1h' }] }, 10)
    const slow = intent(first, 1, 8)
    slow.policies = [askPeople]
    await slow.go()
    assert.equal(slow.phase(), 'approve')
    const other = new Line({ replicas: 9 }, { id: idOf(2) })
    other.class = first.class
    other.spending = first.spending
    assert.equal(await scale(other, 9), 'verified/succeeded')
    slow.approve()
    assert.equal(await slow.go(), 'refused/budget_exhausted')
    assert.deepEqual(slow.cluster.effects, [])
  })

  it('gives back what was spent for nothing', async () => {
    const first = world({ budgets: [{ of: 'changes', most: 1, per: '1h' }] }, 10)
    const refused = intent(first, 1, 8)
    first.cluster.lose = ['refused']
    assert.equal(await refused.toEnd(), 'failed/write_refused')
    assert.equal(await scale(intent(first, 2, 8), 8), 'verified/succeeded')
    assert.equal(await intent(first, 3, 7).go(), 'refused/budget_exhausted')
  })

  it('keeps spent what was taken back again', async () => {
    const first = world({ budgets: [{ of: 'changes', most: 1, per: '1h' }] }, 10)
    first.cluster.available = 0
    assert.equal(await intent(first, 1, 12).toEnd(), 'rolled_back/undone')
    assert.equal(await intent(first, 2, 8).go(), 'refused/budget_exhausted')
  })

  it('refills with time that passed, never with a clock that goes back (T09)', async () => {
    const first = world({ budgets: [{ of: 'changes', most: 1, per: '1h' }] }, 10)
    let now = first.now
    first.spending = spendingLog({ now: () => now })
    assert.equal(await scale(intent(first, 1, 9), 9), 'verified/succeeded')
    const second = intent(first, 2, 8)
    assert.equal(await second.go(), 'refused/budget_exhausted')
    const { planned } = second.record()
    assert.ok(planned)
    const asks = () =>
      first.spending.refusal(second.record(), planned.plan, first.class.limits)?.refused
    now -= 24 * 3600_000
    assert.equal(asks(), 'budget_exhausted')
    now += 24 * 3600_000 + 3599_000
    assert.equal(asks(), 'budget_exhausted')
    now += 10_000
    assert.equal(asks(), undefined)
  })
})

describe('changes under way', () => {
  it('are as many as the class says; the next waits for a place and gets it (T24)', async () => {
    const first = world({ concurrent: 2 }, 10)
    const alone = (n: number) => {
      const line = new Line({ replicas: 8 }, { id: idOf(n) })
      line.class = first.class
      line.spending = first.spending
      return line
    }
    const lines = [alone(1), alone(2), alone(3)] as const
    for (const line of lines) await line.go()
    assert.deepEqual(
      lines.map((line) => line.phase()),
      ['verify', 'verify', 'dispatch'],
    )
    lines[0].cluster.available = 8
    assert.equal(await lines[0].toEnd(), 'verified/succeeded')
    assert.equal(await lines[2].go(), 'verify')
  })

  it('that never get a place end by their own lifetime', async () => {
    const first = world({ concurrent: 1 }, 10)
    await intent(first, 1, 8).go()
    const late = new Line({ replicas: 8 }, { id: idOf(2) })
    late.class = first.class
    late.spending = first.spending
    await late.toEnd()
    assert.equal(await late.toEnd(), 'refused/not_fresh')
    assert.match(late.record().ended?.message ?? '', /waited for a place/)
  })
})

describe('oscillation', () => {
  it('stops two agents that take turns on one object (T27)', async () => {
    const first = world({ oscillation: { turns: 3, within: '1h' } }, 3)
    const phases: string[] = []
    for (const [i, replicas] of [5, 3, 5, 3, 5, 3].entries()) {
      const agent = `jackstay-class-a/${i % 2 === 0 ? 'up' : 'down'}`
      phases.push(await scale(intent(first, i + 1, replicas, { agent }), replicas))
    }
    assert.deepEqual(phases.slice(0, 3), Array(3).fill('verified/succeeded'))
    assert.equal(phases[3], 'refused/oscillating')
    assert.deepEqual(first.cluster.effects, ['3→5', '5→3', '3→5'])
    // the one that would go on upwards finds nothing to change, the other stays stopped
    assert.deepEqual(phases.slice(4), ['refused/no_change', 'refused/oscillating'])
  })

  it('names who took turns, and lets steps in one direction pass', async () => {
    const first = world({ oscillation: { turns: 1, within: '1h' } }, 9)
    for (const [i, replicas] of [8, 7, 6].entries()) {
      assert.equal(await scale(intent(first, i + 1, replicas), replicas), 'verified/succeeded')
    }
    const back = intent(first, 9, 9)
    assert.equal(await back.go(), 'refused/oscillating')
    assert.match(
      back.record().ended?.message ?? '',
      /`\/spec\/replicas` .* by jackstay-class-a\/agent;/,
    )
  })
})

describe('after a restart', () => {
  const store = (lines: readonly Line[]) => {
    const rows = lines.map((line, i) => ({
      ...{ id: line.id, ordinal: i + 1, phase: line.record().phase },
      terminal: line.record().ended !== undefined,
      startedAt: line.record().authenticated.at,
    }))
    return {
      open: async () => rows.filter((row) => !row.terminal).map(({ id }) => id),
      list: async ({ phase = '', limit = 0, before = Number.POSITIVE_INFINITY }) =>
        rows
          .filter((row) => row.phase === phase && row.ordinal < before)
          .reverse()
          .slice(0, limit),
    }
  }
  const reader = (lines: readonly Line[]) => async (id: string) => {
    const line = lines.find((one) => one.id === id)
    if (line === undefined) throw new Error('unknown')
    return line.record()
  }

  it('what was spent is spent, what was under way is, and no more than that', async () => {
    const first = world({ budgets: [{ of: 'pods', most: 3, per: '1h' }], concurrent: 1 }, 10)
    const lines = [intent(first, 1, 9), intent(first, 2, 8), intent(first, 3, 7)]
    for (const line of lines.slice(0, 2)) await scale(line, line.cluster.replicas - 1)
    await lines[2]?.go()
    const again = spendingLog({ now: () => first.now })
    await recall(again, store(lines), reader(lines), first.now)
    first.spending = again
    const next = intent(first, 4, 6)
    assert.equal(again.place(next.record(), first.class.limits), false)
    assert.equal(await next.go(), 'refused/budget_exhausted')
    assert.match(next.record().ended?.message ?? '', /has 0 left/)
  })

  it('dead at any moment of a change, it counts once and no other passes for it (T24)', async () => {
    const points: string[] = []
    const probe = world({}, 10)
    const probed = intent(probe, 1, 9)
    probed.onEffect = (point) => points.push(point)
    await scale(probed, 9)
    for (const at of points.keys()) {
      const first = world({ budgets: [{ of: 'changes', most: 1, per: '1h' }] }, 10)
      const line = intent(first, 1, 9)
      let seen = 0
      line.onEffect = () => {
        if (seen++ === at) throw new Crash('the process died here')
      }
      await assert.rejects(scale(line, 9), Crash)
      line.spending = spendingLog({ now: () => line.now })
      await recall(line.spending, store([line]), reader([line]), line.now)
      assert.equal(await line.toEnd(), 'verified/succeeded', points[at])
      first.spending = line.spending
      assert.equal(await intent(first, 2, 8).go(), 'refused/budget_exhausted', points[at])
    }
  })
})

it('a burst at one less than the quota lets exactly the quota pass (T24)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), async (quota) => {
      const first = world({ budgets: [{ of: 'changes', most: quota, per: '1h' }] }, 10)
      const lines = Array.from({ length: quota + 5 }, (_, n) => {
        const line = new Line({ replicas: 8 }, { id: idOf(n + 1) })
        line.class = { ...first.class, limits: { ...first.class.limits, concurrent: 100 } }
        line.spending = first.spending
        return line
      })
      await Promise.all(lines.slice(0, quota - 1).map((line) => line.go()))
      await Promise.all(lines.slice(quota - 1).map((line) => line.go()))
      assert.equal(lines.filter((line) => line.cluster.effects.length > 0).length, quota)
    }),
    { numRuns: 20 },
  )
})
