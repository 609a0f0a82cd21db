import { parentPort, workerData } from 'node:worker_threads'
import { decide } from '../decide.ts'
import { type CompiledPolicy, compileRules, type RuleSet, ruleSetHash } from '../rules.ts'
import { Gauge, type Order, type Report, readQuestions, writeDecisions } from './messages.ts'

/** The program of the thread: loads rules and judges, one order after another. */
const port = parentPort
if (port === null) throw new TypeError('this file runs as a worker')
const gauge = new Gauge(workerData)
let rules: RuleSet = compileRules([]).rules

const report = (message: Report) => port.postMessage(message)

port.on('message', (order: Order) => {
  gauge.rule = -1
  if (order.kind === 'load') {
    const loaded = compileRules(order.policies)
    const watched = watch(loaded.rules)
    rules = watched.rules
    const hash = ruleSetHash(rules)
    report({ kind: 'loaded', loaded: { problems: loaded.problems, hash }, ids: watched.ids })
    return
  }
  const decisions = readQuestions(order.questions).map((question, i) => {
    const decision = decide({ ...question, rules })
    gauge.rule = -1
    gauge.done = i + 1
    return decision
  })
  report({ kind: 'decided', decisions: writeDecisions(decisions) })
})
report({ kind: 'started' })

/** The same rules, each showing on the gauge that it runs. */
function watch(all: RuleSet): { readonly rules: RuleSet; readonly ids: readonly string[] } {
  const ids: string[] = []
  const watched = new Map<CompiledPolicy, CompiledPolicy>()
  const policies = all.policies.map((policy) => {
    const own = policy.rules.map((rule) => {
      const number = ids.push(rule.id) - 1
      const evaluate: typeof rule.evaluate = (facts) => {
        gauge.rule = number
        return rule.evaluate(facts)
      }
      return { ...rule, evaluate }
    })
    const copy = { ...policy, rules: own }
    watched.set(policy, copy)
    return copy
  })
  const about = ({ policies: some, hash }: RuleSet['others']) => ({
    policies: some.map((policy) => watched.get(policy) ?? policy),
    hash,
  })
  const byAction = new Map([...all.byAction].map(([action, r]) => [action, about(r)] as const))
  return { rules: { policies, byAction, others: about(all.others) }, ids }
}
