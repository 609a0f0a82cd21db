import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { compileRules } from '../rules.ts'
import { allow, deny, outcomeOf, policy, someFacts, verdict, withParams } from '../samples.ts'
import { judgeThread } from '../thread/thread.ts'

const items = Array.from({ length: 200 }, (_, i) => i)
const long = 'a'.repeat(60_000)

/** Rules that load, and facts over which each of them is as costly as it can be. */
const costly: readonly (readonly [string, string])[] = [
  ['nested rounds (T22)', 'intent.params.a.all(x, intent.params.a.all(y, x + y >= 0))'],
  ['nested lists (T22)', 'intent.params.a.map(x, intent.params.a.map(y, [x, y])).size() == 0'],
  ['texts that double', `${'["a"]'}${'.map(x, x + x + x + x + x + x + x + x)'.repeat(8)} == []`],
  ['lists that double', `[[1]]${'.map(x, x + x + x + x + x + x + x + x)'.repeat(8)} == []`],
  ['bytes that double', `[b"a"]${'.map(x, x + x + x + x + x + x + x + x)'.repeat(8)} == []`],
  ['texts that are replaced', `"aa"${'.replace("a", "aaaaaaaaaa")'.repeat(8)} == ""`],
  ['texts that are joined', 'intent.params.a.map(x, intent.params.t).join() == ""'],
  ['texts that are filled in', 'intent.params.a.map(x, "%s%s".format([intent.params.t, x])) == []'],
  ['texts that are split', 'intent.params.a.all(x, intent.params.t.split("") == [])'],
  ['texts that are searched (T22)', 'intent.params.a.all(x, !intent.params.t.contains("b"))'],
  [
    'a regular expression on each (T23)',
    'intent.params.a.all(x, !intent.params.t.matches("^(a+)+$b"))',
  ],
  ['texts read as numbers', 'intent.params.a.all(x, double(intent.params.n) > 0.0)'],
  ['texts made bytes', 'intent.params.a.all(x, size(bytes(intent.params.t)) > 0)'],
  ['texts put in order', 'intent.params.a.all(x, [intent.params.t, intent.params.t].min() != "")'],
  ['equality of large values', 'intent.params.a.all(x, intent.params.b == intent.params.b)'],
  ['a large list searched', 'intent.params.a.all(x, !(-1 in intent.params.a))'],
]
const facts = withParams({
  a: items,
  b: items.map((n) => [n, n, n]),
  t: long,
  n: `0.${'1'.repeat(60_000)}`,
})

describe('adversaries', () => {
  for (const [name, when] of costly) {
    it(`ends ${name} with an error, which denies`, () => {
      const all = [policy('p', [deny('d', when), allow('a')])]
      assert.deepEqual(compileRules(all).problems, [])
      assert.equal(outcomeOf(when, facts), 'error', when)
      const { effect, fired } = verdict(all, { facts })
      assert.equal(effect, 'deny')
      assert.match(
        fired[0]?.message ?? '',
        /takes more than 10000 steps|makes a (text|list) of more/,
      )
    })
  }

  it('takes linear time for regular expressions that are not (T23)', () => {
    for (const pattern of [
      '^(a+)+$',
      '(a|a)*b',
      '(.*)*x',
      '(a|aa)+$',
      '([a-z]+.)+[A-Z]',
      '(x+x+)+y',
    ]) {
      const when = `intent.params.t.matches("${pattern}")`
      assert.equal(outcomeOf(when, withParams({ t: `${long}!` })), 'not_matched', pattern)
    }
    for (const pattern of ['(a{30}){3}', '(?=a)a', '(a)\\\\1', `${'a?'.repeat(200)}`]) {
      assert.match(outcomeOf(`intent.params.t.matches("${pattern}")`), /^problem: /, pattern)
    }
  })

  it('refuses what is too large to be read, with its place, and denies its action', () => {
    const large = {
      parentheses: '('.repeat(5000) + 'true' + ')'.repeat(5000),
      terms: Array(20_000).fill('true').join(' && '),
      'open brackets': '[{1: ('.repeat(1000),
      choices: 'true ? '.repeat(500) + 'true',
      signs: '!'.repeat(5000) + 'true',
      fields: `intent.params${'.a'.repeat(1000)} == 1`,
      'unclosed text': `"${'\\"'.repeat(2000)}`,
      macros: `${'[1].all(x, '.repeat(30)}true${')'.repeat(30)}`,
      'half a character': 'target.name == "\ud800"',
      'half a character, written out': 'target.name == "\\ud800"',
      'a NUL outside a text': 'true \0',
    }
    for (const [name, when] of Object.entries(large)) {
      const all = [policy('p', [deny('d', when)]), policy('q', [allow('a')])]
      const [problem] = compileRules(all).problems
      assert.ok(problem !== undefined && problem.line >= 1 && problem.column >= 1, name)
      assert.equal(verdict(all).effect, 'deny', name)
    }
  })

  it('takes a NUL for the character it is, and half a character for a failure', () => {
    const named = (t: string) => withParams({ t })
    assert.equal(outcomeOf('intent.params.t == "web"', named('web\0')), 'not_matched')
    assert.equal(outcomeOf('intent.params.t == "web\\u0000"', named('web\0')), 'matched')
    assert.equal(outcomeOf('intent.params.t.matches("^web$")', named('web\0')), 'not_matched')
    assert.equal(outcomeOf('intent.params.t == "\0"', named('\0')), 'matched')
    assert.equal(outcomeOf('intent.params.t != "a"', named('\ud800')), 'error')
    const keys = withParams({ 'a\udfff': 1 })
    assert.equal(outcomeOf('intent.params.exists(k, k == "b")', keys), 'error')
    const all = [policy('p', [deny('d', 'intent.params.t == "a"'), allow('a')])]
    assert.equal(verdict(all, { facts: named('\ud800') }).effect, 'deny')
  })

  it('finds nothing on prototypes', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype']) {
      assert.equal(outcomeOf(`has(intent.params.${name})`), 'not_matched', name)
      assert.equal(outcomeOf(`"${name}" in intent.params`), 'not_matched', name)
      assert.equal(outcomeOf(`intent.params["${name}"] == 1`), 'error', name)
      assert.equal(outcomeOf(`"${name}" in namespace.labels`), 'not_matched', name)
      assert.match(outcomeOf(`${name} == 1`), /unknown variable/)
      assert.match(outcomeOf(`${name}(1) == 1`), /unknown function/)
      assert.match(outcomeOf(`target.name.${name}() == 1`), /unknown function/)
      assert.match(outcomeOf(`sets.${name}([1], [1])`), /unknown function/)
    }
    const own = withParams(JSON.parse('{"__proto__": {"replicas": 1}}'))
    assert.equal(outcomeOf('has(intent.params.replicas)', own), 'not_matched')
  })

  it('denies on facts that nest as deep as a request can hold', () => {
    const nested = JSON.parse(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)
    const all = [policy('p', [deny('d', 'intent.params.t == 1'), allow('a')])]
    assert.equal(verdict(all, { facts: withParams({ t: nested }) }).effect, 'deny')
  })
})

describe('adversaries on a thread of their own', () => {
  const judge = judgeThread({ deadline: 30_000 })
  after(() => judge.close())

  it('deny, and the event loop goes on meanwhile (T22)', async () => {
    const rules = costly.map(([, when], i) => deny(`d${i}`, when))
    await judge.load([policy('p', [...rules, allow('a')])])
    const rest = {
      action: 'workload.scale',
      autonomy: 'act-within-policy' as const,
      defaultApproval: { count: 1, groups: ['leads'] },
      className: 'sre',
    }
    const order: string[] = []
    const timer = new Promise<void>((done) => {
      setTimeout(() => {
        order.push('timer')
        done()
      }, 1)
    })
    const asked = judge.decide([{ ...rest, facts }]).then(([answer]) => {
      order.push('answer')
      return answer
    })
    await timer
    assert.equal((await asked)?.effect, 'deny')
    assert.deepEqual(order, ['timer', 'answer'])
    const [other] = await judge.decide([{ ...rest, facts: someFacts() }])
    assert.equal(other?.effect, 'deny')
  })
})
