import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LabClock, steady } from './clock.ts'

const start = Date.UTC(2026, 0, 1)

describe('the clock of a lab', () => {
  it('stamps the real time, and lets what it waits for go by faster', () => {
    let now = start + 250
    const clock = new LabClock({ now: () => now, speed: 20 })
    const stamp = clock.stamp('crash')
    assert.equal(stamp, '2026-01-01T00:00:00Z')
    now += 500
    assert.equal(clock.elapsed('crash', stamp), 10_000)
    assert.equal(clock.real(10_000), 500)
    assert.equal(clock.calendar(), start + 250 + 10_000)
  })

  it('goes by what objects tell where it did not stamp them itself', () => {
    const clock = new LabClock({ now: () => start + 3_000, speed: 10 })
    assert.equal(clock.elapsed('crash', '2026-01-01T00:00:01Z'), 20_000)
    clock.stamp('crash')
    assert.equal(clock.elapsed('crash', '2026-01-01T00:00:01Z'), 20_000)
    assert.ok(Number.isNaN(clock.elapsed('crash', '')))
  })

  it('does not step back with the machine’s, unless that is set to another time', () => {
    let machine = start
    const now = steady(() => machine)
    assert.equal(now(), start)
    machine -= 5_000
    assert.equal(now(), start)
    machine += 6_000
    assert.equal(now(), start + 1_000)
    machine -= 3_600_000
    assert.equal(now(), machine)
  })
})
