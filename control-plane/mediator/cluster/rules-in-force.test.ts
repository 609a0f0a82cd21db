import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { denial } from '@jackstay/judge/decide'
import { judgeThread } from '@jackstay/judge/thread'
import { Line } from '../line/line-builder.ts'
import { type PolicySource, rulesInForce } from './rules-in-force.ts'

const rule = (effect: 'allow' | 'deny') => ({ name: effect, [effect]: { when: 'true' } })
const policy = (name: string, ...effects: ('allow' | 'deny')[]) => ({
  name,
  spec: { mode: 'enforce' as const, actions: ['workload.scale'], rules: effects.map(rule) },
})

/** Policies by hand. */
function policies(first: readonly ReturnType<typeof policy>[]) {
  let all = first
  const handlers = new Set<() => void>()
  const source: PolicySource = {
    values: () => all,
    onChange: (handler) => {
      handlers.add(handler)
      return () => void handlers.delete(handler)
    },
  }
  return {
    source,
    become(...next: readonly ReturnType<typeof policy>[]) {
      all = next
      for (const handler of handlers) handler()
    },
  }
}

it('judges by the policies as they are when it is asked, on a thread of its own (T19)', async () => {
  // patient: a busy machine gives a thread no turn for a while
  const judge = judgeThread({ deadline: 30_000, loadDeadline: 60_000 })
  const cluster = policies([policy('p', 'allow')])
  const rules = rulesInForce(cluster.source, judge, {
    onLoaded: () => undefined,
    onError: (error) => assert.fail(String(error)),
  })
  const line = new Line()
  line.rules = rules
  await line.go()
  assert.equal(line.record().decided?.decision.effect, 'allow')
  const other = new Line()
  other.rules = rules
  cluster.become(policy('p', 'allow', 'deny'))
  assert.equal(rules.loaded(), false)
  await other.go()
  assert.equal(other.phase(), 'refused/denied')
  assert.equal(rules.loaded(), true)
  rules.stop()
  await judge.close()
})

it('loads a burst of changes once, and no policy at all too', async () => {
  const loads: number[] = []
  const order: string[] = []
  const cluster = policies([])
  let ready = false
  const judge = {
    load: async (all: readonly unknown[]) => {
      loads.push(all.length)
      order.push('load')
      ready = true
      return { problems: [], hash: 'sha256:0' as const }
    },
    decide: async () => {
      order.push('decide')
      return [denial('nobody asked')]
    },
    ready: () => ready,
  }
  const told: string[] = []
  const rules = rulesInForce(cluster.source, judge, {
    onLoaded: () => told.push('loaded'),
    onError: (error) => assert.fail(String(error)),
  })
  await turn()
  assert.equal(rules.loaded(), true)
  for (const n of [1, 2, 3]) cluster.become(...Array.from({ length: n }, () => policy('p', 'deny')))
  await turn()
  await turn()
  assert.deepEqual(loads, [0, 3])
  assert.deepEqual(told, ['loaded', 'loaded'])
  // at once, before the event loop has turned
  cluster.become(policy('p', 'deny'))
  await Reflect.apply(rules.decide, rules, [{}])
  assert.deepEqual(order.slice(-2), ['load', 'decide'])
  rules.stop()
  cluster.become(policy('p', 'deny'))
  await turn()
  assert.deepEqual(loads, [0, 3, 1])
})

it('says that rules could not be loaded, and tries again (T17)', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const errors: unknown[] = []
  let attempts = 0
  const judge = {
    load: async () => {
      attempts += 1
      if (attempts === 1) throw new Error('it took longer')
      return { problems: [], hash: 'sha256:0' as const }
    },
    decide: async () => [],
    ready: () => attempts > 1,
  }
  const rules = rulesInForce(policies([policy('p', 'allow')]).source, judge, {
    onLoaded: () => undefined,
    onError: (error) => errors.push(error),
  })
  await turn()
  assert.equal(errors.length, 1)
  assert.equal(rules.loaded(), false)
  t.mock.timers.tick(1_000)
  await turn()
  await turn()
  assert.equal(rules.loaded(), true)
  rules.stop()
})
