import { type Command, CommanderError, Option, Command as Program } from 'commander'
import { approvalCommands } from './approval-commands.ts'
import { defaultServer } from './connection.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { intentCommands } from './intent-commands.ts'
import { ledgerCommands } from './ledger/commands.ts'
import { policyCommands } from './policy/commands.ts'
import { render, renderJson, styled } from './screen.ts'
import type { Terminal } from './terminal.ts'

const help = `
Examples:
  jackstay intents list -A                          what agents asked for, newest first
  jackstay intents list -n shop --phase approve     what waits for somebody
  jackstay why ID                                   the whole story of one intent
  jackstay approve ID --reason 'known peak'         shows the diff, asks, writes your approval
  jackstay approve agentclass/scalers --reason …    lets a class of agents work
  jackstay ledger verify --key log.vkey             recomputes the log from its leaves
  jackstay ledger redact ID --data DIR --reason …   erases what an intent said, proofs stay
  jackstay policy check rules/                      every mistake in rules, without a cluster
  jackstay policy test rules/                       the cases beside them
  jackstay policy explain --intent FILE rules/      why they decide so, and what would turn it

Exit codes: 0 done, 1 refused or failed, 2 wrong input, 3 server away or no access, 4 not found,
5 the ledger does not verify or its witnesses are missing.`

/** Runs one command line to its end. Everything it touches is in `terminal`. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const program = build(terminal)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage
    const { exit, code, message } = failureOf(error, commandIn(program, args))
    const json = program.opts().output === 'json'
    const line = render([[styled('red', 'error'), `: ${message} [${code}]`]], terminal.colours)
    terminal.err(json ? renderJson({ error: { code, message, exit } }) : line)
    return exit
  }
}

/** The command that a line is about, as far as it names one. */
function commandIn(program: Command, args: readonly string[]): string {
  const names = [program.name()]
  let at = program
  for (const arg of args) {
    const next = at.commands.find((command) => command.name() === arg)
    if (next === undefined) continue
    names.push(arg)
    at = next
  }
  return names.join(' ')
}

function build(terminal: Terminal): Command {
  const program = new Program('jackstay')
    .description('See what agents did and why, and agree to what they may do.')
    .addOption(
      new Option('-o, --output <format>', 'format').choices(['text', 'json']).default('text'),
    )
    .option('--kubeconfig <file>', 'kubeconfig (default: $KUBECONFIG, ~/.kube/config)')
    .option('--context <name>', 'context in it')
    .option('--server <url>', `the mediator (default: $JACKSTAY_SERVER, ${defaultServer})`)
    .addHelpText('after', help)
    .exitOverride()
    .configureOutput({
      writeOut: terminal.out,
      // help after a missing command goes to people; errors are written once, by `run`
      writeErr: (text) => (text.startsWith('error:') ? undefined : terminal.err(text)),
    })
  // sub-commands inherit exit and output settings only when commander makes them itself
  intentCommands(program, terminal)
  approvalCommands(program, terminal)
  ledgerCommands(program, terminal)
  policyCommands(program, terminal)
  return program
}
