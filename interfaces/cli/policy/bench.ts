import { setImmediate as turn } from 'node:timers/promises'
import { decide } from '@jackstay/judge/decide'
import { type Outcome, outcomeOf } from '@jackstay/judge/explain'
import { bindFacts } from '@jackstay/judge/facts'
import { compileRules, policiesFor, type RuleSet } from '@jackstay/judge/rules'
import { sampleApproval, sampleFacts } from '@jackstay/judge/sample-facts'
import { type Line, styled, table } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { type Situation, situationOf } from './cases.ts'
import { counted } from './counted.ts'
import { readSituation } from './explain.ts'
import { soundPolicies } from './set.ts'

export interface BenchRequest {
  readonly paths: readonly string[]
  /** Default: the sample facts. */
  readonly intent?: string | undefined
  /** How long to measure altogether. */
  readonly seconds: number
  readonly json: boolean
}

/** What rules cost here: medians of several rounds, in microseconds. */
export interface Bench {
  readonly policies: number
  readonly rules: number
  /** Rules that speak about the action, the others cost nothing. */
  readonly asked: number
  readonly load: number
  readonly judgement: number
  readonly perSecond: number
  readonly outcome: Outcome
  /** Slowest first. */
  readonly perRule: readonly { readonly id: string; readonly mean: number }[]
}

/** `policy bench`: how fast these very rules are on this machine. */
export async function benchPolicies(request: BenchRequest, terminal: Terminal): Promise<void> {
  const situation =
    request.intent === undefined
      ? situationOf(sampleFacts, sampleApproval)
      : await readSituation(request.intent, terminal)
  const { policies } = await soundPolicies(request.paths, terminal)
  const started = performance.now()
  const { rules } = compileRules(policies)
  const load = (performance.now() - started) * 1000
  const ms = request.seconds * 1000
  const tell = (text: string) => request.json || terminal.err(`… ${text}\n`)
  tell(`judging for ${request.seconds / 2} s`)
  const judgements: number[] = []
  for (let round = 0; round < rounds; round++) {
    const judge = () => void decide({ rules, ...situation })
    judgements.push(await mean(ms / 2 / rounds, terminal.signal, judge))
  }
  const judgement = median(judgements)
  tell('rule by rule')
  const perRule = await ruleCosts(rules, situation, ms / 2, terminal.signal)
  const bench: Bench = {
    policies: policies.length,
    rules: policies.reduce((sum, { spec }) => sum + spec.rules.length, 0),
    asked: perRule.length,
    load,
    judgement,
    perSecond: Math.round(1_000_000 / judgement),
    outcome: outcomeOf(decide({ rules, ...situation })),
    perRule,
  }
  if (request.json) printData(terminal, bench)
  else print(terminal, benchLines(bench))
}

async function ruleCosts(
  rules: RuleSet,
  { action, facts }: Situation,
  ms: number,
  signal: AbortSignal,
): Promise<Bench['perRule']> {
  const bound = bindFacts(facts)
  const asked = policiesFor(rules, action).flatMap((policy) => policy.rules)
  const means = new Map(asked.map(({ id }): [string, number[]] => [id, []]))
  // round by round, so that what else the machine does falls on all of them alike
  for (let round = 0; round < rounds; round++) {
    for (const { id, evaluate } of asked) {
      const share = ms / asked.length / rounds
      means.get(id)?.push(await mean(share, signal, () => void evaluate(bound)))
    }
  }
  const costs = [...means].map(([id, all]) => ({ id, mean: median(all) }))
  return costs.sort((a, b) => b.mean - a.mean)
}

const rounds = 5

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Milliseconds without a look at the clock's other users: Ctrl-C is one. */
const slice = 20

/** Microseconds of one call, measured for about so many milliseconds and warm. */
async function mean(ms: number, signal: AbortSignal, call: () => void): Promise<number> {
  // the first tenth warms up and is not counted
  await repeat(ms / 10, signal, call)
  const { calls, spent } = await repeat(ms * 0.9, signal, call)
  return (spent * 1000) / calls
}

async function repeat(
  ms: number,
  signal: AbortSignal,
  call: () => void,
): Promise<{ readonly calls: number; readonly spent: number }> {
  let calls = 0
  let spent = 0
  do {
    signal.throwIfAborted()
    const started = performance.now()
    const until = started + Math.min(slice, ms - spent)
    do {
      call()
      calls += 1
    } while (performance.now() < until)
    spent += performance.now() - started
    if (ms > slice) await turn()
  } while (spent < ms)
  return { calls, spent }
}

const mostShown = 20

function benchLines(bench: Bench): Line[] {
  const { policies, rules, asked, load, judgement, perSecond, outcome, perRule } = bench
  const sum = perRule.reduce((total, { mean }) => total + mean, 0)
  const rows = perRule
    .slice(0, mostShown)
    .map(({ id, mean }) => [
      { text: id },
      { text: `${mean.toFixed(1)} µs` },
      { text: `${((mean * 100) / sum).toFixed(0)} %` },
    ])
  const more = perRule.length - mostShown
  return [
    [
      `loaded   ${counted(policies, 'policy', 'policies')}, ${counted(rules, 'rule')} in ${(load / 1000).toFixed(1)} ms`,
    ],
    [
      'judged   ',
      styled('bold', `${perSecond.toLocaleString('en')} judgements per second`),
      `, ${judgement.toFixed(1)} µs each: ${outcome}, ${counted(asked, 'rule')} asked`,
    ],
    [
      styled(
        'dim',
        `of these ${sum.toFixed(1)} µs are the rules, the rest checks facts and weighs`,
      ),
    ],
    [],
    ...table(['RULE', 'MEAN', 'SHARE'], rows),
    ...(more > 0 ? [[styled('dim', `and ${more} cheaper ones`)]] : []),
  ]
}
