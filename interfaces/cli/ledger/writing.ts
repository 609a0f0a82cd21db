import { JackstayError } from '@jackstay/contract/errors'
import { loadKey } from '@jackstay/ledger/key-file'
import { openLedger } from '@jackstay/ledger/place'
import type { ErasableStore } from '@jackstay/ledger/store'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Place, placeOf } from './place.ts'
import { assertDataDirectory } from './source.ts'

/** Opens a ledger for writing. @throws CommandFailed while a mediator has its data directory */
export async function writing<T>(
  where: Place,
  use: (store: ErasableStore) => Promise<T>,
): Promise<T> {
  const { data, ledgerUrlFile } = where
  assertDataDirectory(data)
  const key = await loadKey(data)
  const store = await openLedger(placeOf(where), key, Date).catch((error: unknown) => {
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
