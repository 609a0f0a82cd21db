import { open } from 'node:fs/promises'
import { JackstayError } from '@jackstay/contract/errors'
import type { LedgerKey } from '@jackstay/ledger/key'
import { openStore, type Store } from '@jackstay/ledger/store'
import type { Clock } from './ports.ts'

export interface LedgerSettings {
  readonly dataDir: string
  readonly ledgerUrlFile?: string | undefined
  readonly ledgerSchema: string
}

/**
 * Opens the ledger where the settings say: in PostgreSQL, or as SQLite in the data directory.
 * @throws JackstayError `invalid_config`, and all of `openStore`; none quotes the URL
 */
export async function openLedger(
  { dataDir, ledgerUrlFile, ledgerSchema }: LedgerSettings,
  key: LedgerKey,
  clock: Clock,
): Promise<Store> {
  if (ledgerUrlFile === undefined) {
    return openStore({ directory: dataDir, origin: key.name, key, clock })
  }
  return openStore({
    url: (await readPrivate(ledgerUrlFile)).trim(),
    schema: ledgerSchema,
    origin: key.name,
    key,
  })
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
