import { stageNames, terminalPhases } from '@jackstay/contract/history'
import {
  type Command,
  CommanderError,
  InvalidArgumentError,
  Option,
  Command as Program,
} from 'commander'
import { z } from 'zod'
import type { Verdict } from './approval.ts'
import { approve } from './approve.ts'
import { defaultServer, globalFlags, serverUrl, withCluster } from './connection.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { recordOf, renderIntent, renderList } from './intents.ts'
import { verify } from './ledger.ts'
import { type Mediator, openMediator } from './mediator.ts'
import { render, renderJson, styled } from './screen.ts'
import { print, printJson, type Terminal } from './terminal.ts'
import { renderWhy } from './why.ts'

const help = `
Examples:
  jackstay intents list -A                          what agents asked for, newest first
  jackstay intents list -n shop --phase approve     what waits for somebody
  jackstay why ID                                   the whole story of one intent
  jackstay approve ID --reason 'known peak'         shows the diff, asks, writes your approval
  jackstay approve agentclass/scalers --reason …    lets a class of agents work
  jackstay ledger verify --key log.vkey             recomputes the log from its leaves

Exit codes: 0 done, 1 refused or failed, 2 wrong input, 3 server away or no access, 4 not found,
5 the ledger does not verify.`

/** Runs one command line to its end. Everything it touches is in `terminal`. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const program = build(terminal)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage
    const { exit, code, message } = failureOf(error)
    const json = program.opts().output === 'json'
    const line = render([[styled('red', 'error'), `: ${message} [${code}]`]], terminal.colours)
    terminal.err(json ? renderJson({ error: { code, message, exit } }) : line)
    return exit
  }
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
  intentCommands(program, terminal)
  approvalCommands(program, terminal)
  ledgerCommands(program, terminal)
  return program
}

/** Sub-commands inherit exit and output settings only when commander makes them itself. */
function intentCommands(program: Command, terminal: Terminal): void {
  const intents = program.command('intents').description('what agents asked for')
  intents
    .command('list')
    .description('list intents, newest first')
    .option('-A, --all-namespaces', 'targets in every namespace')
    .option('-n, --namespace <name>', "targets in this one (default: the context's)")
    .addOption(
      new Option('--phase <phase>', 'only in this phase').choices([
        ...terminalPhases,
        ...stageNames,
      ]),
    )
    .option('--limit <n>', 'at most so many, 1 to 200', limit, 50)
    .option('--before <cursor>', 'the page after the one that named it')
    .action((_, command: Command) => list(command, terminal))
  intents
    .command('get <id>')
    .description('one intent with its events')
    .action(async (id: string, _, command: Command) => {
      const view = await reading(command, terminal, (mediator) => mediator.intent(id))
      if (flagsOf(command).output === 'json') printJson(terminal, view)
      else print(terminal, renderIntent(view))
    })
  program
    .command('why <id>')
    .description('the whole story of one intent: trigger, plan, rules, approvals, writes, outcome')
    .action(async (id: string, _, command: Command) => {
      const view = await reading(command, terminal, (mediator) => mediator.intent(id))
      const record = recordOf(view)
      const leaves = view.events.map(({ type, leafIndexes }) => ({
        event: type,
        indexes: leafIndexes,
      }))
      if (flagsOf(command).output === 'json') printJson(terminal, { record, leaves })
      else print(terminal, renderWhy(record, leaves))
    })
}

const listFlags = z.object({
  allNamespaces: z.boolean().optional(),
  namespace: z.string().optional(),
  phase: z.string().optional(),
  limit: z.number(),
  before: z.string().optional(),
})

async function list(command: Command, terminal: Terminal): Promise<void> {
  const { allNamespaces, namespace, ...query } = listFlags.parse(command.opts())
  const { output } = flagsOf(command)
  let shown = namespace
  const { intents, next } = await reading(command, terminal, (mediator, own) => {
    shown = allNamespaces ? undefined : (namespace ?? own)
    return mediator.list({ ...query, namespace: shown })
  })
  if (output === 'json') return printJson(terminal, { intents, next })
  if (intents.length === 0) {
    const where = shown === undefined ? '' : ` for targets in \`${shown}\`; -A looks everywhere`
    return print(terminal, [[`no intents${where}`]])
  }
  print(terminal, renderList(intents, Date.now()))
  if (next !== undefined) print(terminal, [[styled('dim', `more: --before ${next}`)]])
}

function approvalCommands(program: Command, terminal: Terminal): void {
  const verdicts: readonly (readonly [Verdict, string])[] = [
    ['approve', 'approve an operation or a class: shows what it is, asks, writes your Approval'],
    ['reject', 'reject an operation or a class; one rejection is final'],
  ]
  for (const [verdict, description] of verdicts) {
    program
      .command(`${verdict} <subject>`)
      .description(`${description} (ID or agentclass/NAME)`)
      .requiredOption('--reason <text>', 'why, for the record')
      .option('-n, --namespace <name>', 'namespace of the intent (default: looks in all)')
      .option('--yes', 'do not ask')
      .option('--digest <digest>', 'what you have read: refuse if it is another by now')
      .action((subject: string, _, command: Command) => {
        const { reason, namespace, digest, yes = false } = approveFlags.parse(command.opts())
        const flags = flagsOf(command)
        const json = flags.output === 'json'
        return withCluster(flags, terminal, (client) =>
          approve({ subject, verdict, reason, namespace, yes, json, digest }, client, terminal),
        )
      })
  }
}

const approveFlags = z.object({
  reason: z.string(),
  namespace: z.string().optional(),
  yes: z.boolean().optional(),
  digest: z.string().optional(),
})

function ledgerCommands(program: Command, terminal: Terminal): void {
  const ledger = program.command('ledger').description('the log nobody can rewrite unnoticed')
  ledger
    .command('verify')
    .description('recompute the whole log and compare it with its signed root')
    .option('--data <folder>', 'a data directory or an exported log (default: asks the mediator)')
    .option('--key <vkey>', "the log's verifier key, or a file with it")
    .option('--checkpoint <file>', 'an earlier checkpoint, kept where the mediator cannot reach')
    .action((_, command: Command) => {
      const { data, key, checkpoint } = verifyFlags.parse(command.opts())
      const json = flagsOf(command).output === 'json'
      return verify({ data, key, checkpoint, json }, terminal, (use) =>
        reading(command, terminal, use),
      )
    })
}

const verifyFlags = z.object({
  data: z.string().optional(),
  key: z.string().optional(),
  checkpoint: z.string().optional(),
})

function flagsOf(command: Command) {
  return globalFlags.parse(command.optsWithGlobals())
}

/** Opens the mediator with a token made by the user's own rights. */
function reading<T>(
  command: Command,
  terminal: Terminal,
  use: (mediator: Mediator, namespace: string) => Promise<T>,
): Promise<T> {
  const flags = flagsOf(command)
  const url = serverUrl(flags, terminal)
  return withCluster(flags, terminal, async (client) =>
    use(await openMediator(url, client, terminal.signal), client.config.namespace),
  )
}

function limit(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 200) return value
  throw new InvalidArgumentError('write a number from 1 to 200.')
}
