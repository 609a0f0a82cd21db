import assert from 'node:assert/strict'
import { it } from 'node:test'
import { outcomeOf, someFacts } from './samples.ts'
import { variables } from './variables.ts'

it('lists everything that the field checker knows, each with its type and meaning', () => {
  const paths = variables().map((v) => v.path)
  assert.deepEqual(
    paths.filter((p) => !/[.[{]/.test(p)),
    Object.keys(someFacts()),
  )
  for (const { path, text } of variables()) {
    assert.notEqual(text, '', path)
    if (path.includes('[]') || path.startsWith('cluster')) continue
    assert.doesNotMatch(outcomeOf(`${path} == ${path}`), /^problem/, path)
  }
  const types = new Map(variables().map((v) => [v.path, v.type]))
  assert.equal(types.get('plan.writes[].path'), 'string')
  assert.equal(types.get('plan.reversibility'), '"inverse" or "self-healing" or "irreversible"')
  assert.equal(types.get('plan.risk.parts'), 'map(string, int)')
  assert.equal(types.get('now'), 'timestamp')
})
