import type { Command } from 'commander'
import { z } from 'zod'
import { reading } from '../command.ts'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'

/** `ledger status|prove|witness`: what the log shows to those who do not own it. */
export function ledgerWitnessCommands(ledger: Command, terminal: Terminal): void {
  const asked = (command: Command) => ({
    ...flags.parse(command.opts()),
    json: isJson(command),
  })
  withSource(ledger.command('status'))
    .description('how the log stands: its tail, who keeps it outside, who cosigned it')
    .action(async (_, command: Command) => {
      const { status } = await import('./status.ts')
      return status(asked(command), terminal, (use) => reading(command, terminal, use))
    })
  withSource(ledger.command('prove'))
    .description('one file for each leaf of an intent that proves it offline')
    .argument('<id>', 'an intent (ID) or a leaf (leaf/N)')
    .option('--out <folder>', 'where the files go', '.')
    .action(async (id: string, _, command: Command) => {
      const { prove } = await import('./prove.ts')
      const request = { ...asked(command), out: proveFlags.parse(command.opts()).out, id }
      return prove(request, terminal, (use) => reading(command, terminal, use))
    })
  withSource(ledger.command('witness'))
    .description('ask the witnesses of a policy to cosign the newest checkpoint')
    .option('--out <file>', 'where the cosigned checkpoint goes besides the data directory')
    .action(async (_, command: Command) => {
      const { witness } = await import('./witness.ts')
      return witness(asked(command), terminal, (use) => reading(command, terminal, use))
    })
}

function withSource(command: Command): Command {
  return command
    .option('--data <folder>', 'a data directory or an exported log (default: asks the mediator)')
    .option('--key <vkey>', "the log's verifier key, or a file with it")
    .option('--policy <file>', 'the ledger policy: which witnesses, which anchors')
}

const flags = z.object({
  data: z.string().optional(),
  key: z.string().optional(),
  policy: z.string().optional(),
  out: z.string().optional(),
})
const proveFlags = z.object({ out: z.string().min(1) })
