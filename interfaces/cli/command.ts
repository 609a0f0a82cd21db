import { JackstayError } from '@jackstay/contract/errors'
import type { KubeClient } from '@jackstay/kube/client'
import { type Command, InvalidArgumentError } from 'commander'
import { flagsOf } from './flags.ts'
import type { Mediator } from './mediator.ts'
import type { Terminal } from './terminal.ts'

// what talks to clusters takes half a second to load: not for `--help`, nor for rules and folders

/** Opens the API server as the user. */
export async function clustering<T>(
  command: Command,
  terminal: Terminal,
  use: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const flags = flagsOf(command)
  const { withCluster } = await import('./connection.ts')
  return withCluster(flags, terminal, use)
}

/** Opens the mediator with a token made by the user's own rights. */
export async function reading<T>(
  command: Command,
  terminal: Terminal,
  use: (mediator: Mediator, namespace: string) => Promise<T>,
): Promise<T> {
  const flags = flagsOf(command)
  const { serverUrl, withCluster } = await import('./connection.ts')
  const { openMediator } = await import('./mediator.ts')
  const url = serverUrl(flags, terminal)
  return await withCluster(flags, terminal, async (client) =>
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
