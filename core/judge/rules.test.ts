import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compileRules, rulesHash } from './rules.ts'
import { allow, ask, deny, outcomeOf, policy, someFacts, verdict, withParams } from './samples.ts'

const problemOf = (rule: Parameters<typeof policy>[1][number]) =>
  compileRules([policy('p', [rule])]).problems[0]

describe('names in rules', () => {
  it('refuses a misspelt variable and a misspelt field with place and suggestion', () => {
    assert.deepEqual(
      (({ line, column, suggestion }) => ({ line, column, suggestion }))(
        problemOf(deny('r', 'true &&\n  tarrget.name == "x"')) ?? assert.fail(),
      ),
      { line: 2, column: 3, suggestion: 'target' },
    )
    assert.equal(problemOf(deny('r', 'intent.parms.x == 1'))?.suggestion, 'params')
    assert.equal(problemOf(deny('r', 'plan.writes.exists(w, w.pth == "x")'))?.suggestion, 'path')
    assert.equal(problemOf(deny('r', 'target["nam"] == "x"'))?.suggestion, 'name')
    assert.equal(problemOf(deny('r', 'target.name.startWith("x")'))?.suggestion, 'startsWith')
    assert.match(outcomeOf('has(intent.params["a"])'), /write `"key" in …`/)
    assert.equal(problemOf(deny('r', 'plan.reversibility == "invers"'))?.suggestion, 'inverse')
  })
  it('knows no trigger and nothing an agent says about itself or sends along (T29, T30)', () => {
    for (const name of [
      'trigger',
      'alert',
      'reasoning',
      'intent.reasoning',
      'agent.risk',
      'intent.trigger',
      'traceparent',
      'intent.traceparent',
      'agent.baggage',
      'request.headers',
    ]) {
      assert.match(problemOf(allow('r', `${name} == "x"`))?.message ?? '', /unknown/)
    }
  })
  it('lets `namespace` be a variable, a field and a text', () => {
    const when =
      'namespace.name == target.namespace && "a namespace" + r"\\" == \'a namespace\\\\\''
    assert.equal(outcomeOf(when), 'matched')
    assert.match(outcomeOf('_amespace.name == "shop"'), /problem/)
  })
  it('refuses a variable of a comprehension that hides a fact', () => {
    assert.match(outcomeOf('plan.writes.exists(intent, intent.path == "x")'), /another name/)
  })
})

describe('static limits', () => {
  const refused = (when: string) => assert.match(outcomeOf(when), /^problem: /, when.slice(0, 40))
  it('refuses length, brackets, depth and nesting', () => {
    refused(`"${'a'.repeat(5000)}" == ""`)
    refused('('.repeat(5000) + 'true' + ')'.repeat(5000))
    refused('('.repeat(1000) + 'true' + ')'.repeat(1000))
    refused('('.repeat(33) + 'true' + ')'.repeat(33))
    assert.equal(outcomeOf('('.repeat(32) + 'true' + ')'.repeat(32)), 'matched')
    refused('-'.repeat(4097))
    refused('true?'.repeat(500) + 'true' + ':true'.repeat(500))
    refused('intent.params' + '.a'.repeat(100) + ' == 1')
    refused('intent.params.a.all(x, x.all(y, y.all(z, z == 1)))')
  })
  it('ends nested comprehensions over many items with an error (T22)', () => {
    const items = Array.from({ length: 200 }, (_, i) => i)
    const pairs = 'intent.params.a.all(x, intent.params.a.all(y, x + y >= 0))'
    assert.equal(outcomeOf(pairs, withParams({ a: items })), 'error')
    assert.equal(outcomeOf(pairs, withParams({ a: items.slice(0, 50) })), 'matched')
  })
  it('counts the rounds of each evaluation anew', () => {
    const { rules } = compileRules([policy('p', [allow('a', 'intent.params.a.all(x, x >= 0)')])])
    const facts = withParams({ a: Array.from({ length: 3000 }, (_, i) => i) })
    for (let i = 0; i < 8; i++) assert.equal(verdict([], { rules, facts }).effect, 'allow')
  })
  it('lets no value grow without bound', () => {
    const tenfold = `.map(x, ${Array(10).fill('x').join(' + ')})`
    for (const seed of ['[1]', '"a"', 'b"a"']) {
      assert.equal(outcomeOf(`[${seed}]${tenfold} == []`), 'not_matched', seed)
      assert.equal(outcomeOf(`[${seed}]${tenfold.repeat(5)} == []`), 'error', seed)
    }
    const items = Array.from({ length: 4000 }, (_, i) => i)
    const doubled = 'size(intent.params.a.map(x, x * 2)) == 4000'
    assert.equal(outcomeOf(doubled, withParams({ a: items })), 'matched')
  })
  it('takes literal, linear regular expressions only (T23)', () => {
    for (const when of ['target.name.matches(target.namespace)', 'matches(target.name, "w")']) {
      assert.match(outcomeOf(when), /literal regular expression/)
    }
    refused('target.name.matches("(a")')
    refused('target.name.matches("(?=a)")')
    refused('target.name.matches("(a{30}){3}")')
    const text = withParams({ a: `${'a'.repeat(4000)}!` })
    assert.equal(outcomeOf('intent.params.a.matches("^(a+)+$")', text), 'not_matched')
    assert.equal(outcomeOf('target.name.matches("^w[aeiou]b$")'), 'matched')
  })
  it('reckons in UTC, or in the zone of a literal name', () => {
    const now = 'now.getHours() == 2 && now.getMinutes() == 30 && now.getDayOfYear() == 87'
    assert.equal(outcomeOf(now), 'matched')
    assert.equal(outcomeOf('now.getHours("Europe/Berlin") == 4'), 'matched')
    refused('now.getHours(target.name) == 4')
    assert.equal(
      problemOf(deny('r', 'now.getHours("Europe/Belrin") == 4'))?.suggestion,
      'Europe/Berlin',
    )
  })
})

describe('values in rules', () => {
  it('gives whole numbers as int', () => {
    assert.equal(
      outcomeOf('intent.params.replicas > 2 && type(intent.params.replicas) == int'),
      'matched',
    )
    assert.equal(outcomeOf('plan.blastRadius.pods + intent.params.replicas == 6'), 'matched')
    assert.equal(outcomeOf('intent.params.x == 1.5', withParams({ x: 1.5 })), 'matched')
  })
  it('reads names of prototypes like any other key', () => {
    for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
      assert.equal(outcomeOf(`has(intent.params.${key})`), 'not_matched')
      assert.equal(outcomeOf(`intent.params.${key} == 1`), 'error')
      const own = withParams(JSON.parse(`{"${key}": 1}`))
      assert.equal(outcomeOf(`intent.params["${key}"] == 1`, own), 'matched')
      assert.match(outcomeOf(`${key} == 1`), /unknown variable/)
      assert.match(outcomeOf(`target.${key} == "x"`), /unknown field/)
    }
  })
  it('takes no text for a number that is none', () => {
    for (const text of ['', '0x10', ' 1', 'NaN', '1e400x']) {
      assert.equal(outcomeOf('int(intent.params.x) > 5', withParams({ x: text })), 'error')
      assert.equal(outcomeOf('double(intent.params.x) > 5.0', withParams({ x: text })), 'error')
    }
  })
  it('denies what is neither true nor false', () => {
    assert.match(outcomeOf('target.name'), /true or false/)
    assert.equal(outcomeOf('intent.params.replicas'), 'error')
    assert.equal(outcomeOf('true && intent.params.replicas'), 'error')
  })
})

describe('absorbed errors', () => {
  it('refuses `||` and `&&` over unguarded optional fields in allow rules', () => {
    for (const when of [
      'intent.params.x == 1 || true',
      'true || intent.params.x == 1',
      'intent.params.x == 1 && has(intent.params.x)',
      'has(intent.params.x) || intent.params.x == 1',
      'has(intent.params.a) && has(intent.params.a.b) && intent.params["a.b"] == 1',
      'plan.writes.all(w, w.after.x == 1)',
      'plan.writes[5].path == "/x" || true',
      '!(namespace.labels["a"] == "b" && true)',
    ]) {
      assert.match(problemOf(allow('r', when))?.message ?? '', /swallow/, when)
    }
    assert.equal(
      problemOf(allow('r', 'intent.params.x == 1 || true'))?.suggestion,
      'has(intent.params.x) && …',
    )
  })
  it('lets guarded ones pass', () => {
    for (const when of [
      'has(intent.params.x) && intent.params.x == 1',
      '!has(intent.params.x) || intent.params.x == 1',
      '"x" in intent.params && intent.params["x"] == 1',
      'has(intent.params.x) ? intent.params.x == 1 && true : false',
      'has(intent.params.a) && has(intent.params.a.b) && intent.params.a.b == 1',
      'intent.params.x == 1',
    ]) {
      assert.equal(problemOf(allow('r', when)), undefined, when)
    }
  })
  it('keeps an error of a value of the wrong type an error, on either side', () => {
    const facts = withParams({ x: 'five' })
    assert.equal(outcomeOf('intent.params.x > 5 || true', facts), 'error')
    assert.equal(outcomeOf('!(intent.params.x > 5 && false)', facts), 'error')
    assert.equal(outcomeOf('plan.writes.exists(w, intent.params.x > 5 || true)', facts), 'error')
    const rule = allow('r', 'has(intent.params.x) && (intent.params.x < 5 || target.name == "web")')
    assert.equal(verdict([policy('p', [rule])], { facts }).effect, 'deny')
  })
})

describe('rulesHash', () => {
  const rules = [allow('a'), deny('b', 'false'), ask('c')]
  const hash = (...policies: Parameters<typeof compileRules>[0]) =>
    rulesHash(compileRules(policies).rules, 'workload.scale')
  it('ignores order, other actions and audit', () => {
    const other = policy('q', [deny('x')], { actions: ['workload.restart'] })
    const audit = policy('r', [deny('x')], { mode: 'audit' })
    const all = policy('s', [ask('x')], { actions: ['*'] })
    const base = hash(policy('p', rules), all)
    assert.equal(hash(all, policy('p', [...rules].reverse())), base)
    assert.equal(hash(policy('p', rules), other, audit, all), base)
  })
  it('changes with every rule in force', () => {
    const base = hash(policy('p', rules))
    assert.notEqual(hash(policy('p', rules.slice(1))), base)
    assert.notEqual(hash(policy('p', rules), policy('s', [ask('x')], { actions: ['*'] })), base)
    assert.notEqual(hash(policy('p', [allow('a', 'false'), ...rules.slice(1)])), base)
    assert.notEqual(hash(policy('other', rules)), base)
    assert.notEqual(hash(policy('p', rules, { mode: 'audit' })), base)
  })
})

describe('compileRules', () => {
  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (when) => {
        outcomeOf(when)
      }),
      { numRuns: 300 },
    )
  })
  it('never throws on text made of pieces of CEL', () => {
    const piece = fc.constantFrom(
      ...'intent .params .x ["x"] namespace .labels plan .writes .all(w, w .path ( ) && || ! == "a" 1 ? : has( in [ ] { } - + .matches( size( now'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        outcomeOf(pieces.join(' '), someFacts())
      }),
      { numRuns: 500 },
    )
  })
})
