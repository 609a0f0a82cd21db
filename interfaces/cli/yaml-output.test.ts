import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { renderYaml } from './yaml-output.ts'

it('reads back as the value it was', () => {
  const value = fc.jsonValue({ stringUnit: 'grapheme' })
  fc.assert(
    fc.property(value, (one) => {
      assert.deepEqual(parse(renderYaml(one)), JSON.parse(JSON.stringify(one)))
    }),
  )
})

it('lets nothing through that hides, moves or colours text (T55)', () => {
  const said = 'a\u001b[31mb\u202ec\u200bd\u{e0041}e\u0007f\u2028g\u0085h\r'
  const value = { [said]: [said, { plain: 'x: y', lines: 'two\nlines' }] }
  const text = renderYaml(value)
  const hidden = /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]|(?!\n)\p{Cc}/u
  assert.doesNotMatch(text, hidden)
  assert.deepEqual(parse(text), value)
})
