import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asIfByNpx, asTyped } from './called-as.ts'
import { render, styled, typed } from './screen.ts'

describe('commands as whoever reads them can type them', () => {
  it('are npx jackstay, where that is how it was called', () => {
    const cases = [
      ['jackstay status', 'npx jackstay status'],
      ['read `jackstay why 7`, then', 'read `npx jackstay why 7`, then'],
      ['Usage: jackstay [options]', 'Usage: npx jackstay [options]'],
      ['… | jackstay policy check -', '… | npx jackstay policy check -'],
      ['kubectl -n jackstay-system get pods', 'kubectl -n jackstay-system get pods'],
      ['a `jackstay` of the mediator’s version', 'a `jackstay` of the mediator’s version'],
      ['`npm run jackstay -- lab …`', '`npm run jackstay -- lab …`'],
      ['npx jackstay lab incidents', 'npx jackstay lab incidents'],
    ] as const
    for (const [text, shown] of cases) {
      assert.equal(asTyped(text, asIfByNpx), shown)
      assert.equal(asTyped(text, { npm_lifecycle_event: 'jackstay' }), shown)
    }
  })

  it('stay as they are for a program on the PATH, also one started by another script of npm', () => {
    for (const env of [{}, { npm_lifecycle_event: 'deploy' }]) {
      assert.equal(asTyped('jackstay status', env), 'jackstay status')
    }
  })

  it('are changed in words of ours alone, and still escaped (T55)', () => {
    const lines = [
      [typed('over? jackstay resume --all \u001b[2J')],
      ['the agent says: jackstay approve 7'],
      [styled('dim', 'jackstay approve 7')],
    ]
    const [ours, ...theirs] = render(lines, false, asIfByNpx).trimEnd().split('\n')
    assert.equal(ours, 'over? npx jackstay resume --all \\u{1b}[2J')
    assert.deepEqual(theirs, ['the agent says: jackstay approve 7', 'jackstay approve 7'])
  })
})
