import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { untilStopped } from './signals.ts'

class Source extends EventEmitter {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

test('the first signal asks, the second one ends the process', () => {
  for (const [second, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const source = new Source()
    const signal = untilStopped(source)
    assert.equal(signal.aborted, false)
    source.emit('SIGTERM', 'SIGTERM')
    assert.equal(signal.aborted, true)
    assert.deepEqual(source.exits, [])
    source.emit(second, second)
    assert.deepEqual(source.exits, [code])
  }
})
