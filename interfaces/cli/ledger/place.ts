import { JackstayError } from '@jackstay/contract/errors'
import { loadKey } from '@jackstay/ledger/key-file'
import { openLedger } from '@jackstay/ledger/place'
import type { ErasableStore } from '@jackstay/ledger/store'
import type { Command } from 'commander'
import { z } from 'zod'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { assertDataDirectory } from './source.ts'

/** Where the ledger of a command lies; the same words as the mediator's settings. */
export interface Place {
  /** The data directory: holds the key, and the log too where no database does. */
  readonly data: string
  readonly ledgerUrlFile?: string | undefined
  readonly ledgerSchema: string
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

/** Opens a ledger for writing. @throws CommandFailed while a mediator has its data directory */
export async function writing<T>(
  { data, ledgerUrlFile, ledgerSchema }: Place,
  use: (store: ErasableStore) => Promise<T>,
): Promise<T> {
  assertDataDirectory(data)
  const key = await loadKey(data)
  const place = { dataDir: data, ledgerUrlFile, ledgerSchema }
  const store = await openLedger(place, key, Date).catch((error: unknown) => {
    throw ledgerUrlFile === undefined ? inUse(error, data) : error
  })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

function inUse(error: unknown, data: string): unknown {
  if (!(error instanceof JackstayError) || error.code !== 'not_ready') return error
  return new CommandFailed(
    exitCodes.unreachable,
    'not_ready',
    `a mediator writes to \`${data}\`: stop it, run this again, start it again (${error.message})`,
  )
}
