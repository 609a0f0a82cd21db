import { open } from 'node:fs/promises'
import { JackstayError } from '@jackstay/contract/errors'
import type { LedgerKey } from '../log/key.ts'
import { type Clock, type ErasableStore, openStore } from './store.ts'

/** Where a ledger lies: in its data directory, or in the PostgreSQL that a file names. */
export interface LedgerPlace {
  /** Holds the signing key either way. */
  readonly dataDir: string
  /** A file with the URL; it may hold a password, so it is named and never given itself. */
  readonly ledgerUrlFile?: string | undefined
  readonly ledgerSchema: string
}

/**
 * Opens the ledger where it lies, for writing; with `leads`, for the one program that acts on it.
 * @throws JackstayError `invalid_config`, and all of `openStore`; none quotes the URL
 */
export async function openLedger(
  place: LedgerPlace,
  key: LedgerKey,
  clock: Clock,
  { leads = false } = {},
): Promise<ErasableStore> {
  const url = await urlOf(place)
  if (url === undefined) {
    return openStore({ directory: place.dataDir, origin: key.name, key, clock })
  }
  return openStore({
    ...{ url, schema: place.ledgerSchema },
    origin: key.name,
    key,
    leads,
  })
}

/** Of the database that holds the ledger; undefined where none does. */
export async function urlOf({ ledgerUrlFile }: LedgerPlace): Promise<string | undefined> {
  return ledgerUrlFile === undefined ? undefined : (await readPrivate(ledgerUrlFile)).trim()
}

const limit = 64 * 1024

/** A file that holds a password, so not everybody may read it. */
async function readPrivate(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { mode, size } = await file.stat()
    if ((mode & 0o007) === 0 && size <= limit) return await file.readFile('utf8')
  } catch (cause) {
    throw new JackstayError(
      'invalid_config',
      `\`${path}\` cannot be read: check its path and its mode`,
      { cause },
    )
  }
  throw new JackstayError(
    'invalid_config',
    `\`${path}\` is open to everybody, or larger than ${limit} bytes: run \`chmod o-rwx\` on it, or name another file`,
  )
}
