import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { errorCodes } from './errors.ts'
import { reasons, stageNames } from './history.ts'

/** The rows of a page's tables, without head and rule, as trimmed cells. */
function rows(page: string): string[][] {
  const file = new URL(`../../docs/reference/${page}`, import.meta.url)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

describe('docs/reference/errors.md', () => {
  const page = rows('errors.md')

  it('lists every code once, and none that is gone', () => {
    const listed = page.map(([code]) => code)
    const known = Object.keys(errorCodes).map((code) => `\`${code}\``)
    assert.deepEqual(listed.toSorted(), known.toSorted())
  })

  it('says status, repeatability and meaning as the registry does, and what to do', () => {
    for (const [code, { status, retryable, meaning }] of Object.entries(errorCodes)) {
      const [, ...cells] = page.find(([name]) => name === `\`${code}\``) ?? []
      assert.deepEqual(cells.slice(0, 3), [String(status), retryable ? 'yes' : 'no', meaning], code)
      assert.ok(cells[3], code)
    }
  })
})

describe('docs/reference/reasons.md', () => {
  const page = rows('reasons.md')

  it('lists every reason once, and none that is gone', () => {
    const listed = page.map(([reason]) => reason)
    assert.deepEqual(listed.toSorted(), reasons.map((reason) => `\`${reason}\``).toSorted())
    assert.equal(new Set(reasons).size, reasons.length)
  })

  it('names stages of the line in their order, and says a sentence', () => {
    for (const [reason, stages = '', meaning = ''] of page) {
      const named = stages.split(', ')
      const known = stageNames.filter((stage) => named.includes(stage))
      assert.deepEqual(named, known, reason)
      assert.match(meaning, /^[A-Z].+\.$/, reason)
    }
  })
})
