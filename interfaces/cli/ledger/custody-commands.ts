import type { Command } from 'commander'
import { z } from 'zod'
import { isJson } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import { deed, deedFlags } from './deed.ts'
import { inDatabase, placeFlags } from './place.ts'

/** `ledger backup|recover|rotate-key`: on a data directory, by whoever runs its machine. */
export function ledgerCustodyCommands(ledger: Command, terminal: Terminal): void {
  ledger
    .command('backup')
    .description('copy a data directory, also while the mediator writes, and verify the copy')
    .requiredOption('--data <folder>', 'the data directory')
    .requiredOption('--out <folder>', 'where the copy goes; must not exist or be empty')
    .option('--key <vkey>', "the log's verifier key, or a file with it (default: the folder's own)")
    .option('--with-key', 'copy the signing key as well', false)
    .action(async (_, command: Command) => {
      const flags = { ...backupFlags.parse(command.opts()), json: isJson(command) }
      const { backup } = await import('./custody.ts')
      return backup(flags, terminal)
    })
  inDatabase(
    deed(
      ledger.command('recover'),
      terminal,
      'the data directory of the damaged log; stays as it is',
    ),
  )
    .description('give up a damaged log and begin a new one that commits to it')
    .requiredOption('--out <folder>', 'the data directory of the new log; must not exist')
    .option('--out-schema <name>', 'where a database holds the log: the schema of the new one')
    .option('--checkpoint <file>', 'the last checkpoint that was kept elsewhere')
    .option('--key <vkey>', "the old log's verifier key, where its key file is lost")
    .option('--policy <file>', 'the ledger policy: its anchors know of another recovery elsewhere')
    .option('--even-if-sound', 'although nothing is wrong with the log', false)
    .action(async (_, command: Command) => {
      const flags = { ...recoverFlags.parse(command.opts()), json: isJson(command) }
      const { recover } = await import('./custody.ts')
      return recover(flags, terminal)
    })
  inDatabase(
    deed(ledger.command('rotate-key'), terminal, 'the data directory; stop its mediator first'),
  )
    .description('give the log another signing key')
    .action(async (_, command: Command) => {
      const flags = { ...rotateFlags.parse(command.opts()), json: isJson(command) }
      const { rotate } = await import('./custody.ts')
      return rotate(flags, terminal)
    })
}

const backupFlags = z.object({
  data: z.string().min(1),
  out: z.string().min(1),
  key: z.string().optional(),
  withKey: z.boolean(),
})

const rotateFlags = z.object({ ...deedFlags.shape, ...placeFlags.shape })

const recoverFlags = z.object({
  ...rotateFlags.shape,
  out: z.string().min(1),
  outSchema: z.string().optional(),
  checkpoint: z.string().optional(),
  policy: z.string().optional(),
  key: z.string().optional(),
  evenIfSound: z.boolean(),
})
