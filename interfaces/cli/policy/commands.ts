import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { reading } from '../command.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'

const help = `
Examples:
  jackstay policy check rules/                             every mistake, with line and column
  jackstay policy test rules/ --min-coverage 100           the cases in *.test.yaml beside the rules
  jackstay policy explain --intent intent.yaml rules/      which rules decided, and what would turn them
  jackstay policy replay --data /var/lib/jackstay rules/   what recorded decisions would become

Exit codes: 0 done, 1 a case failed, coverage too low, a decision would change; 2 a mistake in a file
or a flag, 3 server away, 4 no such file. docs/guide/policies has a guide, and rules to start from.`

/**
 * `policy …`: rules without a cluster. Loaded when they are called: the engine behind them would
 * slow the start of every other command.
 */
export function policyCommands(program: Command, terminal: Terminal): void {
  const policy = program
    .command('policy')
    .description('write, check, test, explain and replay rules, without a cluster')
    .addHelpText('after', help)
  policy
    .command('check <path...>')
    .description('find every mistake in files and folders of ActionPolicies (`-` reads stdin)')
    .action(async (paths: string[], _, command: Command) => {
      const { checkPolicies } = await import('./check.ts')
      return checkPolicies(paths, isJson(command), terminal)
    })
  policy
    .command('test <path...>')
    .description('judge the cases in `*.test.yaml` files and folders')
    .option('--min-coverage <percent>', 'of the rules must match in some case', percent, 0)
    .action(async (paths: string[], _, command: Command) => {
      const { minCoverage } = testFlags.parse(command.opts())
      const json = isJson(command)
      const { testPolicies } = await import('./test.ts')
      return testPolicies({ paths, minCoverage, json }, terminal)
    })
  policy
    .command('explain <path...>')
    .description('why rules decide so about one intent, and what would have to change')
    .requiredOption('--intent <file>', 'facts as in a case, or what `intents get -o json` prints')
    .action(async (paths: string[], _, command: Command) => {
      const { intent } = explainFlags.parse(command.opts())
      const json = isJson(command)
      const { explainPolicies } = await import('./explain.ts')
      return explainPolicies({ paths, intent, json }, terminal)
    })
  policy
    .command('replay <path...>')
    .description('judge what was recorded again, and show what these rules would change')
    .option('--data <folder>', 'a data directory or an exported log (default: asks the mediator)')
    .option('--expect-same', 'fail where a decision would change')
    .action(async (paths: string[], _, command: Command) => {
      const { data, expectSame = false } = replayFlags.parse(command.opts())
      const json = isJson(command)
      const { replayPolicies } = await import('./replay.ts')
      return replayPolicies({ paths, data, expectSame, json }, terminal, (use) =>
        reading(command, terminal, use),
      )
    })
  policy
    .command('bench <path...>')
    .description('how many judgements per second these rules allow here, and what each costs')
    .option('--intent <file>', 'as for explain (default: the sample facts)')
    .option('--seconds <n>', 'how long to measure', seconds, 2)
    .action(async (paths: string[], _, command: Command) => {
      const flags = benchFlags.parse(command.opts())
      const json = isJson(command)
      const { benchPolicies } = await import('./bench.ts')
      return benchPolicies({ paths, json, ...flags }, terminal)
    })
}

const explainFlags = z.object({ intent: z.string() })
const replayFlags = z.object({
  data: z.string().optional(),
  expectSame: z.boolean().optional(),
})
const benchFlags = z.object({ intent: z.string().optional(), seconds: z.number() })
const testFlags = z.object({ minCoverage: z.number() })

function percent(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 100) return value
  throw new InvalidArgumentError('write a number from 0 to 100.')
}

function seconds(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 60) return value
  throw new InvalidArgumentError('write a number up to 60.')
}
