import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChangeWindowSpec } from '@jackstay/contract/kinds/change-window'
import { askPeople, Line } from '../line/line-builder.ts'
import { windowClosed, windowQuestion } from './closed.ts'
import { onceWindow, viewOf } from './window-builder.ts'

const minute = 60_000
const noon = '2026-01-01T12:00:00Z'
const office = onceWindow('allow', '2026-01-01T09:00:00Z', '2026-01-01T12:30:00Z')
const compiled = (spec: ChangeWindowSpec) => viewOf('office', spec).window

/** At noon, while people are asked. */
function line(...windows: ChangeWindowSpec[]): Line {
  const one = new Line()
  one.windows = windows.map(compiled)
  one.onEffect = (point) => {
    if (point.startsWith('after write')) one.cluster.available = one.cluster.replicas
  }
  return one
}

describe('the question that windows are asked', () => {
  it('is about the target, at the one time while clocks agree', () => {
    const clocks = { clock: { now: () => 1000 }, steady: { ahead: () => 0 } }
    const question = windowQuestion('workload.scale', 'shop', clocks)
    assert.deepEqual(question, { action: 'workload.scale', namespace: 'shop', at: [1000] })
  })

  it('is about both times where the clock on the wall jumped, either way (T09)', () => {
    for (const by of [10 * minute, -10 * minute]) {
      const clocks = { clock: { now: () => 1000 }, steady: { ahead: () => by } }
      assert.deepEqual(windowQuestion('a', 'n', clocks).at, [1000, 1000 - by])
    }
  })

  it('reads the target from the intent, and what is in no namespace from `*` alone', () => {
    const one = line({ ...office, effect: 'freeze', namespaces: ['shop'] })
    const record = one.record()
    assert.match(windowClosed(record, one.ports()) ?? '', /^frozen by the window `office`/)
    const { namespace: _, ...target } = record.authenticated.claims.target
    const claims = { ...record.authenticated.claims, target }
    const ofCluster = { ...record, authenticated: { ...record.authenticated, claims } }
    assert.equal(windowClosed(ofCluster, one.ports()), undefined)
    one.windows = [compiled({ ...office, effect: 'freeze' })]
    assert.match(windowClosed(ofCluster, one.ports()) ?? '', /^frozen/)
  })
})

describe('a window that shuts', () => {
  async function approvedAt(text: string): Promise<Line> {
    const one = line(office)
    one.policies = [askPeople]
    assert.equal(await one.go(), 'approve')
    one.now = Date.parse(text)
    one.approve()
    return one
  }

  it('between approval and dispatch stops what was approved in time (T28)', async () => {
    const one = await approvedAt('2026-01-01T12:29:59Z')
    one.now = Date.parse('2026-01-01T12:30:01Z')
    assert.equal(await one.toEnd(), 'refused/window_closed')
    assert.equal(one.record().ended?.stage, 'dispatch')
    assert.match(one.record().ended?.message ?? '', /outside of every window that allows it/)
    assert.ok(one.leaves.some(({ kind }) => kind === 'approval'))
    assert.deepEqual(one.cluster.effects, [])
  })

  it('is open until then, and not at its end (T28)', async () => {
    const last = await approvedAt('2026-01-01T12:29:59Z')
    assert.equal(await last.toEnd(), 'verified/succeeded')
    const late = await approvedAt('2026-01-01T12:30:00Z')
    assert.equal(await late.toEnd(), 'refused/window_closed')
  })

  it('asks nobody for an approval of what it shuts', async () => {
    const one = line(onceWindow('freeze', noon, '2026-01-01T13:00:00Z'))
    one.policies = [askPeople]
    assert.equal(await one.toEnd(), 'refused/window_closed')
    assert.equal(one.record().ended?.stage, 'admit')
  })

  it('stops no undo: what failed is taken back in a freeze', async () => {
    const one = line()
    one.onEffect = (point) => {
      if (point !== 'after write') return
      one.windows = [compiled(onceWindow('freeze', noon, '2026-01-02T00:00:00Z'))]
    }
    assert.equal(await one.toEnd(), 'rolled_back/undone')
    assert.deepEqual(one.cluster.effects, ['2→5', '5→2'])
  })

  it('is shut by whichever clock says so, and the refusal names that one (T09)', async () => {
    for (const [jump, judgedBy] of [
      // the wall is in the window and the steady clock is not, and the reverse
      [-40 * minute, '2026-01-01T12:40:00Z'],
      [40 * minute, '2026-01-01T12:40:00Z'],
    ] as const) {
      const one = line(office)
      one.now = Date.parse(jump < 0 ? noon : '2026-01-01T12:40:00Z')
      one.ahead = jump
      const why = windowClosed(one.record(), one.ports())
      assert.match(why ?? 'open', new RegExp(`clocks disagree, this is by the one at ${judgedBy}`))
    }
    const one = line(office)
    one.ahead = -40 * minute
    // so far apart, nothing that was signed is fresh by both
    assert.equal(await one.toEnd(), 'refused/not_fresh')
    assert.deepEqual(one.cluster.effects, [])
  })
})
