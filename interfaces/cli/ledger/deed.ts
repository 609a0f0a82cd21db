import type { Command } from 'commander'
import { z } from 'zod'
import { filled } from '../command.ts'
import type { Terminal } from '../terminal.ts'

/** A change of the log itself: a leaf says who did it and why. */
export interface Deed {
  readonly data: string
  readonly reason: string
  readonly by: string
  readonly yes: boolean
  readonly json: boolean
}

export const deedFlags = z.object({
  data: z.string().min(1),
  reason: z.string(),
  by: z.string(),
  yes: z.boolean(),
})

/** The flags of every such command; `data` says which folder is meant. */
export function deed(command: Command, { env }: Terminal, data: string): Command {
  const { USER: user } = env
  command
    .requiredOption('--data <folder>', data)
    .requiredOption('--reason <text>', 'why, for the record; it cannot be erased', filled)
    .option('--yes', 'do not ask', false)
  const by = ['--by <name>', 'who does it, for the record', filled] as const
  // a name that nobody has would stand in the log for good
  return user === undefined ? command.requiredOption(...by) : command.option(...by, user)
}
