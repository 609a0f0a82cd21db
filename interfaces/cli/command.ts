import { JackstayError } from '@jackstay/contract/errors'
import { type Command, InvalidArgumentError } from 'commander'
import { type GlobalFlags, globalFlags, serverUrl, withCluster } from './connection.ts'
import { type Mediator, openMediator } from './mediator.ts'
import type { Terminal } from './terminal.ts'

/** The flags that every command takes, as this one was given them. */
export function flagsOf(command: Command): GlobalFlags {
  return globalFlags.parse(command.optsWithGlobals())
}

/** Whether a machine reads what this command says. */
export function isJson(command: Command): boolean {
  return flagsOf(command).output === 'json'
}

/** Opens the mediator with a token made by the user's own rights. */
export function reading<T>(
  command: Command,
  terminal: Terminal,
  use: (mediator: Mediator, namespace: string) => Promise<T>,
): Promise<T> {
  const flags = flagsOf(command)
  const url = serverUrl(flags, terminal)
  return withCluster(flags, terminal, async (client) =>
    use(await openMediator(url, client, terminal.signal), client.config.namespace),
  ).catch((error: unknown) => {
    throw withoutCluster(command, error)
  })
}

/** Who has no cluster may have a folder. */
function withoutCluster(command: Command, error: unknown): unknown {
  if (!(error instanceof JackstayError) || !error.message.startsWith('no kubeconfig found')) {
    return error
  }
  if (!command.options.some(({ long }) => long === '--data')) return error
  return new JackstayError(error.code, `${error.message}, or name a folder with --data`)
}

/** Text that is there, for the record. */
export function filled(text: string): string {
  const value = text.trim()
  if (value !== '' && value.length <= 1024) return value
  throw new InvalidArgumentError('write some words, at most 1024 characters.')
}
