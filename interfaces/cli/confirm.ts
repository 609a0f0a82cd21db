import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** @throws CommandFailed where nobody sits who could be asked; `first` says what to do before --yes */
export function assertAskable(terminal: Terminal, json: boolean, first = 'to go on'): void {
  if (terminal.interactive && !json) return
  throw usageError(`nobody can be asked here; ${first} pass --yes`)
}

/** @throws CommandFailed unless the person types `yes` */
export async function confirmed(terminal: Terminal, question: string): Promise<void> {
  const answer = await terminal.ask(`${question} Type yes: `)
  if (answer.trim().toLowerCase() === 'yes') return
  throw new CommandFailed(exitCodes.refused, 'not_confirmed', 'not confirmed, nothing was written')
}
