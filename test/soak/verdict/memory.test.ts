import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryVerdict } from './memory.ts'

const mb = 1024 * 1024
const life = (pid: number, seconds: number, grows: number) =>
  Array.from({ length: seconds }, (_, second) => ({
    ...{ pid, at: second * 1000 },
    bytes: (100 + (grows * second) / 60) * mb,
  }))

describe('memory over a soak', () => {
  it('is the slope of the process that lived longest, after it warmed up', () => {
    const verdict = memoryVerdict([...life(1, 30, 100), ...life(2, 300, 3)])
    assert.equal(Math.round(verdict.mbPerMinute ?? 0), 3)
    assert.equal(verdict.highestMb, 148)
    assert.equal(verdict.livedMs, 299_000)
  })

  it('of short lives has no slope', () => {
    assert.equal(memoryVerdict(life(1, 30, 100)).mbPerMinute, undefined)
    assert.equal(memoryVerdict([]).mbPerMinute, undefined)
  })
})
