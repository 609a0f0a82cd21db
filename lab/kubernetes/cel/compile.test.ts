import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileExpression } from './compile.ts'
import { equal } from './values.ts'

const variables = {
  object: {
    metadata: { name: 'api', labels: { 'a.b/c': 'x', app: 'api' } },
    spec: { replicas: 3, half: 0.5, items: [{ name: 'a' }, { name: 'b', n: 2 }], none: {} },
  },
  oldObject: null,
}

function run(source: string): unknown {
  return compileExpression(source, Object.keys(variables))(variables)
}

const cases: readonly (readonly [string, unknown])[] = [
  ['object.spec.replicas == 3', true],
  ['object.spec.replicas + 1', 4n],
  ['object.spec.half < 1', true],
  ['1 == 1.0', true],
  ['has(object.spec.none) && !has(object.spec.other)', true],
  ["object.metadata.?labels[?'a.b/c'].orValue('') == 'x'", true],
  ["object.?status.?phase.orValue('none')", 'none'],
  ['object.spec.?items.orValue([]).all(i, size(i.name) == 1)', true],
  ['object.spec.items.exists(i, i.n == 2)', true],
  ["object.spec.items.map(i, i.name) == ['a', 'b']", true],
  ['object.spec.items.filter(i, has(i.n)).size()', 1n],
  ["object.spec.items.exists_one(i, i.name == 'a')", true],
  ["object.spec.all(k, k in ['replicas', 'half', 'items', 'none'])", true],
  ["'app' in object.metadata.labels", true],
  ['object.spec.nothing == 1 || true', true],
  ['true || object.spec.nothing == 1', true],
  ["oldObject == null ? 'new' : 'old'", 'new'],
  ['oldObject.?spec.hasValue()', false],
  ["{'a': 1}['a']", 1n],
  ["{'a': 1}[?'b'].orValue(2)", 2n],
  ["'a-b-c'.split('-')[1]", 'b'],
  ["'日本語'.substring(1, 2)", '本'],
  ["'a.b.c'.replace('.', '-')", 'a-b-c'],
  ["'abc'.matches('b')", true],
  ["duration('1h30m') <= duration('168h')", true],
  ["timestamp('2026-02-02T11:00:00Z') - timestamp('2026-02-02T09:00:00Z') == duration('2h')", true],
  ["optional.of({'a': 1}).?a.orValue(0)", 1n],
  ['cel.bind(x, 2, x * x)', 4n],
  ['[1, 2].map(x, x > 1, x * 2) == [4]', true],
  ['"\\u00e4".size()', 1n],
  ['-(5 % 3)', -2n],
  ['type(1) == int', true],
  ["quantity('1Gi').isGreaterThan(quantity('1000M'))", true],
  ["dyn('a') in ['a']", true],
]

describe('an expression', () => {
  for (const [source, value] of cases) {
    it(source, () => assert.ok(equal(run(source), value), `is ${String(run(source))}`))
  }

  for (const [source, message] of [
    ['object.spec.nothing', 'no such key: nothing'],
    ['oldObject.spec', 'no such key: spec'],
    ['object.spec.items[5]', 'index out of bounds: 5'],
    ['object.spec.items.all(i, i.n == 2)', 'no such key: n'],
    ['1 / 0', 'division by zero'],
    ["'a' + 1", 'no such overload'],
    [
      "timestamp('2026-02-30T00:00:00Z') < timestamp('2026-03-30T00:00:00Z')",
      /type conversion error from 'string' to 'google.protobuf.Timestamp'/,
    ],
  ] as const) {
    it(`${source} is an error`, () => {
      assert.throws(() => run(source), { name: 'CelError', message })
    })
  }

  it('is refused where it names what does not exist', () => {
    assert.throws(() => run('obect.spec'), /undeclared reference to 'obect'/)
    assert.throws(() => run('object.spec.frobnicate()'), /undeclared reference to 'frobnicate'/)
    assert.throws(() => run('object.spec =='), /syntax error/)
    assert.throws(() => run("{?'a': object.?b}"), /not offered/)
  })
})
