import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { clustering } from '../command.ts'
import { flagsOf, isJson } from '../flags.ts'
import { styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'

/** `trigger …`: what Alertmanager does elsewhere, by hand. */
export function triggerCommands(program: Command, terminal: Terminal): void {
  const trigger = program
    .command('trigger')
    .description('tell agents that something happened, where no Alertmanager does')
  trigger
    .command('create')
    .description('make a trigger; agents whose class matches its labels get it. It gives no right')
    .requiredOption(
      '--label <key=value>',
      'what classes match on, as an alert has it; may be repeated',
      pair,
    )
    .option('--annotation <key=value>', 'words for whoever reads it', pair, {})
    .action(async (_, command: Command) => {
      const { label: labels, annotation: annotations } = createFlags.parse(command.opts())
      const json = isJson(command)
      const { serverUrl } = await import('../connection.ts')
      const { createTrigger } = await import('./create.ts')
      const url = serverUrl(flagsOf(command), terminal)
      const made = await clustering(command, terminal, (client) =>
        createTrigger({ labels, annotations }, url, client, terminal.signal),
      )
      if (json) return printData(terminal, made)
      const { id, createdBy = '' } = made
      print(terminal, [
        [styled('green', 'created'), ` trigger ${id}, by ${createdBy}`],
        [typed(`over? jackstay trigger resolve ${id}`, 'dim')],
      ])
    })
  trigger
    .command('resolve <id>')
    .description('say that it is over: intents that wait because of it end as obsolete')
    .action(async (id: string, _, command: Command) => {
      const json = isJson(command)
      const { serverUrl } = await import('../connection.ts')
      const { resolveTrigger } = await import('./create.ts')
      const url = serverUrl(flagsOf(command), terminal)
      const made = await clustering(command, terminal, (client) =>
        resolveTrigger(id, url, client, terminal.signal),
      )
      if (json) return printData(terminal, made)
      print(terminal, [[styled('green', 'resolved'), ` trigger ${id}`]])
    })
}

const texts = z.record(z.string(), z.string())
const createFlags = z.object({ label: texts, annotation: texts })

function pair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('write KEY=VALUE.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
