import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import { wrongField } from './wrong-field.ts'

it('names what is wrong in a file of settings in the words of the file', () => {
  const schema = z.strictObject({
    keep: z.strictObject({ decision: z.string() }),
    n: z.int().max(9),
  })
  const of = (value: unknown) => {
    const { error } = schema.safeParse(value)
    assert.ok(error !== undefined)
    return wrongField(error)
  }
  assert.equal(of({ keep: { decison: '1d' }, n: 1 }), 'there is no setting `keep.decison`')
  assert.equal(of({ keep: {}, n: 1 }), '`keep.decision` is missing')
  assert.equal(of({ keep: { decision: 'x' }, n: 1, m: 2 }), 'there is no setting `m`')
  assert.match(of({ keep: { decision: 'x' }, n: 10 }), /^`n`: too big/)
  assert.match(of('text'), /^`\.`: invalid input: expected object/)
})
