import type { LedgerPlace } from '@jackstay/ledger/place'
import type { Command } from 'commander'
import { z } from 'zod'

/** Where the ledger of a command lies; the same words as the mediator's settings. */
export interface Place {
  /** The data directory: holds the key, and the log too where no database does. */
  readonly data: string
  readonly ledgerUrlFile?: string | undefined
  readonly ledgerSchema: string
}

export function placeOf({ data, ledgerUrlFile, ledgerSchema }: Place): LedgerPlace {
  return { dataDir: data, ledgerUrlFile, ledgerSchema }
}

export const placeFlags = z.object({
  data: z.string().min(1),
  ledgerUrlFile: z.string().optional(),
  ledgerSchema: z.string(),
})

/** The flags of a ledger that lies in PostgreSQL. */
export function inDatabase(command: Command): Command {
  return command
    .option('--ledger-url-file <file>', 'file with the URL of the PostgreSQL that holds the ledger')
    .option('--ledger-schema <name>', 'schema of the ledger in PostgreSQL', 'jackstay')
}
