import { type Command, CommanderError, Option, Command as Program } from 'commander'
import { approvalCommands } from './approval-commands.ts'
import { asTyped } from './called-as.ts'
import { doctorCommand } from './doctor/command.ts'
import { exampleOf, showExamples } from './examples.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { failureOf, type Typed } from './failure.ts'
import { defaultServer, outputs } from './flags.ts'
import { intentCommands } from './intent-commands.ts'
import { labCommands } from './lab/commands.ts'
import { ledgerCommands } from './ledger/commands.ts'
import { lineCommands } from './line/commands.ts'
import { policyCommands } from './policy/commands.ts'
import { showingLife } from './progress.ts'
import { render, renderJson, styled, typed } from './screen.ts'
import { stopCommands } from './stop/commands.ts'
import type { Terminal } from './terminal.ts'
import { triggerCommands } from './triggers/commands.ts'
import { version } from './version.ts'

const exits = `
Exit codes: 0 done, 1 refused or failed, 2 wrong input, 3 server away or no access, 4 not found,
5 the ledger does not verify or its witnesses are missing, 6 status found something to look at.
Errors with their codes, and what scripts may rely on: docs/reference/command-line.md`

type Data = (value: unknown) => string

/** Runs one command line to its end. Everything it touches is in `terminal`. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  // who watches waits: for nothing that would ever be late
  if (args.includes('watch')) return runLine(args, terminal)
  const life = showingLife(terminal)
  try {
    return await runLine(args, life.terminal)
  } finally {
    life.end()
  }
}

async function runLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let data: Data = renderJson
  const program = build({ ...terminal, data: (value) => data(value) })
  program.hook('preAction', async () => {
    data = await dataOf(program)
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage
    const { exit, code, message } = failureOf(error, typedIn(program, args))
    const { output } = program.opts()
    const words = [styled('red', 'error'), typed(`: ${message} [${code}]`)]
    const line = render([words], terminal.colours, terminal.env)
    const said = { error: { code, message, exit } }
    const machine = output === 'json' || output === 'yaml'
    terminal.err(machine ? (await dataOf(program))(said) : line)
    return exit
  }
}

/** How values are written; loaded only for those who ask. */
async function dataOf(program: Command): Promise<Data> {
  if (program.opts().output !== 'yaml') return renderJson
  return (await import('./yaml-output.ts')).renderYaml
}

/** The command that a line is about, as far as it names one, and how it is typed. */
function typedIn(program: Command, args: readonly string[]): Typed {
  const names = [program.name()]
  let at = program
  for (const arg of args) {
    const next = at.commands.find((command) => command.name() === arg)
    if (next === undefined) continue
    names.push(arg)
    at = next
  }
  const follow = at === program ? [] : at.commands.map((command) => command.name())
  return { command: names.join(' '), example: exampleOf(names.slice(1)), follow }
}

/** Every command with its flags; nothing behind them is loaded before it is called. */
export function build(terminal: Terminal): Command {
  const help = (write: Terminal['out']) => (text: string) => write(asTyped(text, terminal.env))
  const program = new Program('jackstay')
    .description('See what agents did and why, agree to what they may do, and stop them.')
    .version(version, '--version')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written')
        .choices(outputs)
        .default('text'),
    )
    .option('--kubeconfig <file>', 'kubeconfig (default: $KUBECONFIG, ~/.kube/config)')
    .option('--context <name>', 'context in it')
    .option('--server <url>', `the mediator (default: $JACKSTAY_SERVER, ${defaultServer})`)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: help(terminal.out),
      // help after a missing command goes to people; errors are written once, by `run`
      writeErr: (text) => (text.startsWith('error:') ? undefined : help(terminal.err)(text)),
    })
  // sub-commands inherit exit and output settings only when commander makes them itself
  lineCommands(program, terminal)
  intentCommands(program, terminal)
  approvalCommands(program, terminal)
  stopCommands(program, terminal)
  triggerCommands(program, terminal)
  doctorCommand(program, terminal)
  ledgerCommands(program, terminal)
  policyCommands(program, terminal)
  labCommands(program, terminal)
  showExamples(program)
  program.addHelpText('after', exits)
  return program
}
