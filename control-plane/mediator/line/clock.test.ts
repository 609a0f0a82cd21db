import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allowAll, askPeople, Crash, Line } from './line-builder.ts'

const tenMinutes = 600_000
const hour = 3600_000

/** The clock on the wall is set; the steady one goes on at its own pace. */
function set(line: Line, byMs: number): void {
  line.now += byMs
  line.ahead += byMs
}

/** An intent that people approve, to its end, with the clock set at the n-th effect. */
async function setAt(n: number, byMs: number): Promise<{ line: Line; points: string[] }> {
  const line = new Line()
  line.policies = [askPeople]
  line.cluster.available = 5
  const points: string[] = []
  line.onEffect = (point) => {
    points.push(point)
    if (points.length === n + 1) set(line, byMs)
  }
  await line.go()
  if (line.phase() === 'approve') line.approve()
  await line.toEnd()
  return { line, points }
}

describe('a clock that jumps ten minutes (T09)', () => {
  for (const byMs of [tenMinutes, -tenMinutes]) {
    const way = byMs > 0 ? 'ahead' : 'back'
    it(`${way}, at every effect: at most one effect, one end`, async () => {
      const { points } = await setAt(Number.POSITIVE_INFINITY, 0)
      const all = ['approved', 'dispatched', 'write', 'written', 'executed', 'ended']
      for (const point of all) assert.ok(points.includes(`before ${point}`), points.join(', '))
      for (const [n, point] of points.entries()) {
        const { line } = await setAt(n, byMs)
        const effects = line.cluster.effects.join()
        const ended = `${line.phase()} with ${effects || 'nothing'}, set ${way} ${point}`
        assert.match(
          ended,
          /^(verified\/succeeded with 2→5|rolled_back\/undone with 2→5,5→2|(refused|expired|failed)\/\w+ with nothing),/,
        )
        assert.equal(line.events.filter(({ type }) => type === 'ended').length, 1, ended)
      }
    })
  }

  it('ahead: what was signed before is not fresh any more', async () => {
    const line = new Line()
    set(line, tenMinutes)
    assert.equal(await line.toEnd(), 'refused/not_fresh')
  })

  it('back: what expired does not become fresh again', async () => {
    const line = new Line()
    line.now += 5 * 60_000
    set(line, -tenMinutes)
    assert.equal(await line.toEnd(), 'refused/not_fresh')
  })

  it('back: an approval that came too late does not count after all', async () => {
    const line = new Line()
    line.policies = [askPeople]
    await line.go()
    line.now += hour + 2 * 60_000
    set(line, -tenMinutes)
    line.approve()
    assert.equal(await line.toEnd(), 'expired/approval_expired')
    assert.deepEqual(line.cluster.effects, [])
  })

  it('back, after approval: what could be dispatched no more cannot be dispatched again', async () => {
    const line = new Line()
    line.policies = [askPeople]
    await line.go()
    line.approve()
    line.onEffect = (point) => {
      if (point === 'after approved') throw new Crash('the process stands still here')
    }
    await assert.rejects(line.go(), Crash)
    line.onEffect = () => undefined
    line.now += hour + 2 * 60_000
    set(line, -tenMinutes)
    assert.equal(await line.toEnd(), 'expired/approval_expired')
  })

  it('back, while the mediator is down: an old dispatch is judged again all the same', async () => {
    const line = new Line()
    line.onEffect = (point) => {
      if (point === 'after dispatched') throw new Crash('the process died here')
    }
    await assert.rejects(line.go(), Crash)
    line.onEffect = () => undefined
    // a new process has no other clock than the one on the wall
    line.now -= tenMinutes
    line.policies = [{ ...allowAll, rules: [{ name: 'no', deny: { when: 'true' } }] }]
    assert.match(await line.toEnd(), /^failed\/(policy_changed|denied)$/)
    assert.deepEqual(line.cluster.effects, [])
  })
})
