import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { goProgram } from '@jackstay/cluster/go-program'
import { run } from '@jackstay/cluster/process'
import { inStep, type OnProgress } from '@jackstay/cluster/progress'
import type { NamedPolicy } from '@jackstay/judge/rules'
import { median } from './cpu.ts'
import { celGo, opa } from './go-recipes.ts'
import { factsLine, question } from './judge-intents.ts'
import { regoOf } from './judge-rego.ts'
import { thousandRules, twentyRules, workloadAction } from './judge-workload.ts'
import { rounded, table, whole } from './table.ts'

export interface JudgeOptions {
  readonly intents: number
  /** CPU seconds of one measurement. */
  readonly seconds: number
  readonly rounds: number
}

/** What a judge says about itself on standard output. */
export interface JudgeFigures {
  readonly loadSeconds: number
  readonly judged: number
  readonly cpuSeconds: number
  /** One for each intent: the effect and the rules that fired. */
  readonly verdicts: readonly string[]
}

interface Judge {
  readonly name: string
  readonly command: (files: Files, seconds: number) => readonly string[]
}

interface Files {
  readonly policies: string
  readonly rego: string
  readonly intents: string
}

const ours = fileURLToPath(new URL('./judge-ours.ts', import.meta.url))

/**
 * The same rules over the same intents in Jackstay, cel-go and OPA, each on one core, taking turns.
 *
 * @throws Error when they do not agree about every intent
 */
export async function measureJudge(options: JudgeOptions, onProgress: OnProgress): Promise<string> {
  const judges = await allJudges(options, onProgress)
  const folder = await mkdtemp(join(tmpdir(), 'jackstay-judge-bench-'))
  try {
    const figures = async (name: string, rules: readonly NamedPolicy[]) =>
      measure(judges, await write(folder, name, rules, options), options, onProgress)
    const twenty = await figures('twenty', twentyRules)
    const thousand = await figures('thousand', thousandRules)
    return report(judges, twenty, thousand, options)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function allJudges(options: JudgeOptions, onProgress: OnProgress): Promise<Judge[]> {
  const [cel, rego] = [await goProgram(celGo, onProgress), await goProgram(opa, onProgress)]
  return [
    {
      name: 'jackstay',
      command: ({ policies }, seconds) => [
        process.execPath,
        ours,
        policies,
        String(options.intents),
        String(seconds),
      ],
    },
    {
      name: `cel-go ${celGo.version}`,
      command: ({ policies, intents }, seconds) => [
        cel,
        policies,
        intents,
        workloadAction,
        String(seconds),
      ],
    },
    {
      name: `OPA ${opa.version}`,
      command: ({ rego: rules, intents }, seconds) => [
        rego,
        rules,
        intents,
        workloadAction,
        String(seconds),
      ],
    },
  ]
}

async function write(
  folder: string,
  name: string,
  rules: readonly NamedPolicy[],
  { intents }: JudgeOptions,
): Promise<Files> {
  const at = (suffix: string) => join(folder, `${name}.${suffix}`)
  const files = { policies: at('json'), rego: at('rego'), intents: at('jsonl') }
  const lines = Array.from({ length: intents }, (_, n) => `${factsLine(question(n))}\n`)
  await writeFile(files.policies, JSON.stringify(rules))
  await writeFile(files.rego, regoOf(rules))
  await writeFile(files.intents, lines.join(''))
  return files
}

/** The figures of every judge, one list of rounds for each. */
async function measure(
  judges: readonly Judge[],
  files: Files,
  { seconds, rounds }: JudgeOptions,
  onProgress: OnProgress,
): Promise<JudgeFigures[][]> {
  const figures: JudgeFigures[][] = judges.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, { name, command }] of judges.entries()) {
      const env = { ...process.env, GOMAXPROCS: '1' }
      const step = `round ${round + 1}, ${name}`
      const said = await inStep(onProgress, step, () => run(command(files, seconds), { env }))
      figures[i]?.push(JSON.parse(said))
    }
    assertAgreement(
      judges,
      figures.map((all) => all[round]?.verdicts ?? []),
    )
  }
  return figures
}

/** @throws Error with the first intent about which two judges differ */
export function assertAgreement(
  judges: readonly Pick<Judge, 'name'>[],
  verdicts: readonly (readonly string[])[],
): void {
  const [first = []] = verdicts
  if (first.length === 0) throw new Error('no intent was judged')
  for (const [i, others] of verdicts.entries()) {
    const at = first.findIndex((verdict, n) => verdict !== others[n])
    if (at < 0 && others.length === first.length) continue
    const said = (n: number) => `${judges[n]?.name} says \`${verdicts[n]?.[at]}\``
    throw new Error(`the judges differ about intent ${at}: ${said(0)}, ${said(i)}`)
  }
}

function report(
  judges: readonly Judge[],
  twenty: readonly JudgeFigures[][],
  thousand: readonly JudgeFigures[][],
  { intents }: JudgeOptions,
): string {
  const perSecond = (all: readonly JudgeFigures[] = []) =>
    median(all.map(({ judged, cpuSeconds }) => judged / cpuSeconds))
  const load = (all: readonly JudgeFigures[] = []) => median(all.map((f) => f.loadSeconds))
  const base = perSecond(twenty[0])
  const rows = judges.map(({ name }, i) => {
    const [few, many] = [perSecond(twenty[i]), perSecond(thousand[i])]
    return [
      name,
      whole(few),
      rounded(base / few),
      whole(many),
      rounded(few / many),
      rounded(load(thousand[i])),
    ]
  })
  const bytes = JSON.stringify(question(0).facts.intent).length
  const verdicts = twenty[0]?.[0]?.verdicts ?? []
  const count = (effect: string) => verdicts.filter((v) => v.startsWith(effect)).length
  return [
    `judge: ${intents} intents of ${rounded(bytes / 1000, 1)} kB, every rule of their action evaluated, per core-second`,
    `  GOMAXPROCS=1; jackstay in batches through its thread, both threads count; all agree on every intent:`,
    `  ${count('allow')} allowed, ${count('ask')} with approval, ${count('deny')} denied`,
    table([['', '20 rules', 'ratio', '1,000 rules', 'cost', 'load of 1,000, s'], ...rows]),
    `  ratio: jackstay over the other; cost: of 1,000 rules, 20 of them about the action, over 20`,
  ].join('\n')
}
