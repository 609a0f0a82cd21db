import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { decision } from '@jackstay/contract/decision'
import fc from 'fast-check'
import { decide } from '../decide.ts'
import { compileRules, type NamedPolicy, ruleSetHash } from '../rules.ts'
import { allow, ask, deny, policy, someFacts, withParams } from '../samples.ts'
import { type JudgeThread, judgeThread, type Question, type ThreadOptions } from './thread.ts'

const open: JudgeThread[] = []
after(() => Promise.all(open.map((judge) => judge.close())))

/** Patient, where no deadline is what is tried: a busy machine gives a thread no turn for a while. */
function started(options: ThreadOptions = {}): JudgeThread {
  const judge = judgeThread({ deadline: 30_000, loadDeadline: 60_000, ...options })
  open.push(judge)
  return judge
}

const question = (changes: Partial<Question> = {}): Question => ({
  action: 'workload.scale',
  facts: someFacts(),
  autonomy: 'act-within-policy',
  defaultApproval: { count: 1, groups: ['leads'] },
  className: 'sre',
  ...changes,
})

const fine = [policy('p', [allow('a'), deny('d', 'intent.params.replicas > 5')])]

/** Hours of rules: each within its own steps, a thousand of them in a row. */
const pairs = 'intent.params.a.all(x, intent.params.a.all(y, x != y + 1000))'
const slow: readonly NamedPolicy[] = Array.from({ length: 10 }, (_, p) =>
  policy(
    `slow${p}`,
    Array.from({ length: 200 }, (_, r) => deny(`r${r}`, pairs)),
    { actions: ['workload.restart'] },
  ),
)
const many = question({
  action: 'workload.restart',
  facts: withParams({ a: Array.from({ length: 95 }, (_, i) => i) }),
})

describe('a judge on its own thread', () => {
  it('says what `decide` says, in the order of the questions', async () => {
    const judge = started()
    const condition = fc.constantFrom(
      'true',
      'false',
      'intent.params.n > 2',
      'nonsense',
      '1 / 0 == 1',
    )
    const rule = fc.tuple(fc.constantFrom(allow, deny, ask), condition)
    const rules = fc.array(rule, { minLength: 1, maxLength: 4 })
    const numbers = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 150 })
    await fc.assert(
      fc.asyncProperty(rules, numbers, async (made, values) => {
        const all = [
          policy(
            'p',
            made.map(([effect, when], i) => effect(`r${i}`, when)),
          ),
        ]
        const questions = values.map((n) => question({ facts: withParams({ n }) }))
        const { problems, hash } = await judge.load(all)
        const own = compileRules(all)
        assert.deepEqual(problems, own.problems)
        assert.equal(hash, ruleSetHash(own.rules))
        const here = questions.map((q) => decide({ ...q, rules: own.rules }))
        assert.deepEqual(await judge.decide(questions), here)
      }),
      { numRuns: 30 },
    )
  })
  it('judges by the rules of the latest `load`, whether they are loaded yet or not (T19)', async () => {
    const judge = started()
    const before = judge.load(fine)
    const [one] = await judge.decide([question()])
    const later = judge.load([policy('p', [deny('d')])])
    const [other] = await judge.decide([question()])
    assert.deepEqual([one?.effect, other?.effect], ['allow', 'deny'])
    assert.notEqual((await before).hash, (await later).hash)
  })
  it('denies before any rules are loaded (T17)', async () => {
    const judge = started()
    assert.equal(judge.ready(), false)
    const [answer] = await judge.decide([question()])
    assert.equal(answer?.reason, 'denied because no rules are loaded')
    assert.deepEqual(decision.parse(answer), answer)
    await judge.load(fine)
    assert.equal(judge.ready(), true)
  })
  it('stops a judgement at its deadline, names the rule, and leaves the event loop free (T22)', async () => {
    const replaced: string[] = []
    const judge = started({ deadline: 1_000, onReplaced: (why) => replaced.push(why) })
    await judge.load([...fine, ...slow])
    const order: string[] = []
    const answers = judge.decide([question(), many, question(), many, question()])
    const answered = answers.then((decisions) => {
      order.push('answer')
      return decisions
    })
    await wait(20).then(() => order.push('timer'))
    const decisions = await answered
    assert.deepEqual(order, ['timer', 'answer'])
    for (const stuck of [decisions[1], decisions[3]]) {
      assert.match(
        stuck?.reason ?? '',
        /^denied because the rule slow\d\/r\d+ was stopped: it took longer than 1000 ms/,
      )
    }
    // nobody else is denied for that, in front of it or behind it
    for (const judged of [decisions[0], decisions[2], decisions[4]]) {
      assert.equal(judged?.effect, 'allow', judged?.reason)
    }
    assert.equal(replaced.length, 2)
    // another thread with the same rules has taken over
    await judge.load(fine)
    const [next] = await judge.decide([question()])
    assert.equal(next?.effect, 'allow')
  })
  it('denies what cannot be carried over, and nothing else', async () => {
    const judge = started()
    await judge.load(fine)
    const circle: Record<string, unknown> = { replicas: 3 }
    circle.self = circle
    const facts = someFacts()
    const odd = [
      { ...facts, intent: { ...facts.intent, params: circle } },
      { ...facts, intent: { ...facts.intent, params: { n: 1n } } },
      { ...facts, now: new Date(Number.NaN) },
    ]
    // what a caller in JavaScript could do
    const questions = odd.map((f) => Reflect.apply(question, undefined, [{ facts: f }]))
    const answers = await judge.decide([...questions, question()])
    assert.deepEqual(
      answers.map(({ effect }) => effect),
      ['deny', 'deny', 'deny', 'allow'],
    )
  })
  it('denies beyond its queue, and when it is closed', async () => {
    const judge = started({ queue: 3 })
    await judge.load(fine)
    const answers = await judge.decide(Array.from({ length: 5 }, () => question()))
    assert.deepEqual(
      answers.map(({ effect }) => effect),
      ['allow', 'allow', 'allow', 'deny', 'deny'],
    )
    assert.match(answers[4]?.reason ?? '', /too many judgements are waiting/)
    const last = judge.decide([question()])
    await judge.close()
    assert.deepEqual(
      [...(await last), ...(await judge.decide([question()]))].map(({ reason }) => reason),
      ['denied because the judge is closed', 'denied because the judge is closed'],
    )
    assert.equal(judge.ready(), false)
    await assert.rejects(judge.load(fine), /closed/)
  })
})

/** A thread that takes rules and then does `trouble` when it is asked, the first time it is made. */
function troubled(trouble: string, first: 'load' | 'decide' = 'decide') {
  let made = 0
  return (workerData: SharedArrayBuffer): Worker => {
    made += 1
    const broken = `
      const { parentPort } = require('node:worker_threads')
      parentPort.on('message', ({ kind }) => {
        if (kind === '${first}') { ${trouble} }
        parentPort.postMessage({ kind: 'loaded', loaded: { problems: [], hash: 'x' }, ids: [] })
      })
      parentPort.postMessage({ kind: 'started' })`
    if (made === 1) return new Worker(broken, { eval: true, workerData })
    return new Worker(new URL('./worker.ts', import.meta.url), { workerData })
  }
}

describe('a thread that fails', () => {
  for (const [name, trouble, reason] of [
    ['crashes', 'throw new Error("boom")', /it crashed: boom/],
    ['ends', 'process.exit(3)', /it ended with code 3/],
    [
      'runs out of memory',
      'for (const all = []; ; ) all.push(Array(1e5).fill(all.length))',
      /it crashed: .*memory|took longer/,
    ],
    ['hangs', 'for (;;);', /it took longer than 1500 ms/],
  ] as const) {
    it(`is replaced when it ${name}; the question it was at is denied, no other (T17)`, async () => {
      const judge = started({ deadline: 1_500, start: troubled(trouble) })
      await judge.load(fine)
      const [at, behind] = await judge.decide([question(), question()])
      assert.equal(at?.effect, 'deny')
      assert.match(at?.reason ?? '', reason)
      assert.equal(behind?.effect, 'allow')
      // the next one waits for the new thread, which loads the same rules by itself
      const [next] = await judge.decide([question()])
      assert.equal(next?.effect, 'allow')
      assert.equal(judge.ready(), true)
    })
  }
  it('denies, and is not ready, while rules cannot be loaded (T17)', async () => {
    const start = troubled('for (;;);', 'load')
    const judge = started({ loadDeadline: 3_000, start })
    const loading = judge.load(fine)
    const answer = judge.decide([question()])
    await assert.rejects(loading, /could not be loaded: it took longer than 3000 ms/)
    assert.match((await answer)[0]?.reason ?? '', /the rules could not be loaded/)
    assert.equal(judge.ready(), false)
    // the next thread has as long, and another one after it; until then all is denied
    for (;;) {
      const [next] = await judge.decide([question()])
      if (next?.effect === 'allow') break
      assert.match(next?.reason ?? '', /the rules could not be loaded/)
    }
  })
})
