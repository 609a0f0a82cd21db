import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** @throws CommandFailed where nobody sits who could be asked; `first` says what to do before --yes */
export function assertAskable(terminal: Terminal, json: boolean, first = 'to go on'): void {
  if (terminal.interactive && !json) return
  throw usageError(`nobody can be asked here; ${first} pass --yes`)
}

/** Asks again until it is a yes or a no: a typing error is neither, and either may be final. */
export async function saysYes({ ask }: Pick<Terminal, 'ask'>, question: string): Promise<boolean> {
  for (;;) {
    const answer = (await ask(`${question} Type yes or no: `)).trim().toLowerCase()
    if (answer === 'yes' || answer === 'no') return answer === 'yes'
  }
}

/** @throws CommandFailed unless the person types `yes` */
export async function confirmed(terminal: Terminal, question: string): Promise<void> {
  if (await saysYes(terminal, question)) return
  throw new CommandFailed(exitCodes.refused, 'not_confirmed', 'not confirmed, nothing was written')
}
