import type { Command } from 'commander'
import { z } from 'zod'
import { filled, flagsOf } from '../command.ts'
import type { Terminal } from '../terminal.ts'
import { backup, recover, rotate } from './custody.ts'

/** `ledger backup|recover|rotate-key`: on a data directory, by whoever runs its machine. */
export function ledgerCustodyCommands(ledger: Command, terminal: Terminal): void {
  const user = terminal.env.USER || terminal.env.LOGNAME || 'unknown'
  ledger
    .command('backup')
    .description('copy a data directory, also while the mediator writes, and verify the copy')
    .requiredOption('--data <folder>', 'the data directory')
    .requiredOption('--to <folder>', 'where the copy goes; must not exist or be empty')
    .option('--key <vkey>', "the log's verifier key, or a file with it (default: the folder's own)")
    .option('--with-key', 'copy the signing key as well', false)
    .action((_, command: Command) => {
      const json = flagsOf(command).output === 'json'
      return backup({ ...backupFlags.parse(command.opts()), json }, terminal)
    })
  ledger
    .command('recover')
    .description('give up a damaged log and begin a new one that commits to it')
    .requiredOption('--data <folder>', 'the data directory of the damaged log; stays as evidence')
    .requiredOption('--to <folder>', 'the data directory of the new log; must not exist')
    .requiredOption('--reason <text>', 'why, for the record', filled)
    .option('--checkpoint <file>', 'the last checkpoint that was kept elsewhere')
    .option('--key <vkey>', "the old log's verifier key, where its key file is lost")
    .option('--by <name>', 'who does it, for the record', filled, user)
    .option('--even-if-sound', 'although nothing is wrong with the log', false)
    .option('--yes', 'do not ask', false)
    .action((_, command: Command) => {
      const json = flagsOf(command).output === 'json'
      return recover({ ...recoverFlags.parse(command.opts()), json }, terminal)
    })
  ledger
    .command('rotate-key')
    .description('give the log another signing key; stop the mediator first')
    .requiredOption('--data <folder>', 'the data directory')
    .requiredOption('--reason <text>', 'why, for the record', filled)
    .option('--by <name>', 'who does it, for the record', filled, user)
    .option('--yes', 'do not ask', false)
    .action((_, command: Command) => {
      const json = flagsOf(command).output === 'json'
      return rotate({ ...rotateFlags.parse(command.opts()), json }, terminal)
    })
}

const backupFlags = z.object({
  data: z.string().min(1),
  to: z.string().min(1),
  key: z.string().optional(),
  withKey: z.boolean(),
})

const rotateFlags = z.object({
  data: z.string().min(1),
  reason: z.string(),
  by: z.string(),
  yes: z.boolean(),
})

const recoverFlags = z.object({
  ...rotateFlags.shape,
  to: z.string().min(1),
  checkpoint: z.string().optional(),
  key: z.string().optional(),
  evenIfSound: z.boolean(),
})
