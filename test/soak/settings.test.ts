import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSettings, usage } from './settings.ts'

describe('the settings of a soak', () => {
  it('are twenty minutes and a seed of chance, which is told', () => {
    const { minutes, seed, keep } = readSettings([], () => 42)
    assert.deepEqual([minutes, seed], [20, 42])
    assert.match(keep, /seed-42$/)
  })

  it('are what is typed', () => {
    const { minutes, seed, keep } = readSettings(['--minutes', '0.5', '--seed', '7', '--keep', 'x'])
    assert.deepEqual([minutes, seed, keep], [0.5, 7, 'x'])
  })

  for (const argv of [
    ['--minutes', '0'],
    ['--minutes', 'soon'],
    ['--minutes', '1e9'],
    ['--seed', '-1'],
    ['--seed', '1.5'],
    ['--sead', '1'],
  ]) {
    it(`refuse \`${argv.join(' ')}\``, () => {
      assert.throws(() => readSettings(argv), Error)
    })
  }

  it('are explained with examples', () => {
    assert.match(usage, /npm run soak -- --minutes 20/)
  })
})
