import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { flagsOf } from './command.ts'
import { checkPolicies } from './policy-check.ts'
import { explainPolicies } from './policy-explain.ts'
import { testPolicies } from './policy-test.ts'
import type { Terminal } from './terminal.ts'

/** `policy …`: rules without a cluster. */
export function policyCommands(program: Command, terminal: Terminal): void {
  const policy = program
    .command('policy')
    .description('write, check, test, explain and replay rules, without a cluster')
  policy
    .command('check <path...>')
    .description('find every mistake in files and folders of ActionPolicies (`-` reads stdin)')
    .action((paths: string[], _, command: Command) =>
      checkPolicies(paths, flagsOf(command).output === 'json', terminal),
    )
  policy
    .command('test <path...>')
    .description('judge the cases in `*.test.yaml` files and folders')
    .option('--min-coverage <percent>', 'of the rules must match in some case', percent, 0)
    .action((paths: string[], _, command: Command) => {
      const { minCoverage } = testFlags.parse(command.opts())
      const json = flagsOf(command).output === 'json'
      return testPolicies({ paths, minCoverage, json }, terminal)
    })
  policy
    .command('explain <path...>')
    .description('why rules decide so about one intent, and what would have to change')
    .requiredOption('--intent <file>', 'facts as in a case, or what `intents get -o json` prints')
    .action((paths: string[], _, command: Command) => {
      const { intent } = explainFlags.parse(command.opts())
      const json = flagsOf(command).output === 'json'
      return explainPolicies({ paths, intent, json }, terminal)
    })
}

const explainFlags = z.object({ intent: z.string() })
const testFlags = z.object({ minCoverage: z.number() })

function percent(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 100) return value
  throw new InvalidArgumentError('write a number from 0 to 100.')
}
