import type { IntentView } from '@jackstay/contract/api'
import { stageNames, terminalPhases } from '@jackstay/contract/phases'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { reading } from './command.ts'
import { isJson, shapeOf } from './flags.ts'
import { watching } from './line/commands.ts'
import { styled } from './screen.ts'
import { print, printData, type Terminal } from './terminal.ts'

/** `intents list|get` and `why`. */
export function intentCommands(program: Command, terminal: Terminal): void {
  const intents = program.command('intents').description('what agents asked for')
  intents
    .command('list', { isDefault: true })
    .description('list intents, newest first (also without `list`)')
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
    .description('one intent with its events (also by the first 8 characters of its id, or more)')
    .action(async (id: string, _, command: Command) => {
      const view = await called(id, command, terminal)
      if (isJson(command)) return printData(terminal, view)
      const { renderIntent } = await import('./intents.ts')
      print(terminal, renderIntent(view))
    })
  watching(intents.command('watch'), terminal)
  program
    .command('why <id>')
    .description(
      'the whole story of one intent: trigger, plan, rules, approvals, writes, outcome (also by the first 8 characters of its id, or more)',
    )
    .action(async (id: string, _, command: Command) => {
      const view = await called(id, command, terminal)
      const { recordOf } = await import('./intents.ts')
      const { renderWhy } = await import('./why.ts')
      const record = recordOf(view)
      const leaves = view.events.map(({ type, leafIndexes }) => ({
        event: type,
        indexes: leafIndexes,
      }))
      if (isJson(command)) printData(terminal, { record, leaves })
      else print(terminal, renderWhy(record, leaves))
    })
}

async function called(id: string, command: Command, terminal: Terminal): Promise<IntentView> {
  const { intentCalled } = await import('./intent-id.ts')
  return reading(command, terminal, (mediator) => intentCalled(id, mediator))
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
  const shape = shapeOf(command)
  let shown = namespace
  const { intents, next } = await reading(command, terminal, (mediator, own) => {
    shown = allNamespaces ? undefined : (namespace ?? own)
    return mediator.list({ ...query, namespace: shown })
  })
  if (shape === 'data') return printData(terminal, { intents, next })
  if (intents.length === 0) {
    const where = shown === undefined ? '' : ` for targets in \`${shown}\`; -A looks everywhere`
    return print(terminal, [[`no intents${where}`]])
  }
  const { renderList } = await import('./intents.ts')
  print(terminal, renderList(intents, Date.now(), shape === 'wide'))
  if (next !== undefined) print(terminal, [[styled('dim', `more: --before ${next}`)]])
}

function limit(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 200) return value
  throw new InvalidArgumentError('write a number from 1 to 200.')
}
