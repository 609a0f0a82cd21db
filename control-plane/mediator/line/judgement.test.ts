import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decide as judge } from '@jackstay/judge/decide'
import { readGrounds } from '@jackstay/judge/grounds'
import { compileRules } from '@jackstay/judge/rules'
import { helpful } from './helpful-builder.ts'
import { allowAll, Line } from './line-builder.ts'

describe('beside each decision the line keeps what it rests on', () => {
  const rests = async (prepare: (line: Line) => void) => {
    const line = helpful(new Line())
    prepare(line)
    await line.toEnd()
    const record = line.record()
    const parts = [record.decided, record.rehearsed, record.ended]
    return { line, kept: parts.filter((part) => part?.decision !== undefined) }
  }

  it('so that it can be judged again without the cluster', async () => {
    const { line, kept } = await rests(() => {})
    assert.equal(kept.length, 2)
    const policies = [{ name: 'allow-all', spec: allowAll }]
    for (const part of kept) {
      const read = readGrounds(part?.grounds)
      assert.ok('facts' in read, JSON.stringify(read))
      const { name, autonomy } = read.facts.class
      const again = judge({
        rules: compileRules(policies).rules,
        action: read.facts.action,
        facts: read.facts,
        autonomy,
        defaultApproval: part?.grounds?.defaultApproval ?? { count: 0, groups: [] },
        className: name,
      })
      assert.equal(again.effect, part?.decision?.effect)
    }
    const leaf = line.leaves.find(({ kind }) => kind === 'decision')
    assert.deepEqual(leaf?.sealed.facts, kept.at(-1)?.grounds)
  })

  it('also where it denied', async () => {
    const { kept } = await rests((line) => (line.policies = []))
    assert.equal(kept.length, 1)
    assert.ok('facts' in readGrounds(kept[0]?.grounds))
  })
})
