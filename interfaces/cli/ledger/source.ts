import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { readBounded } from '@jackstay/ledger/bounded-file'
import { vkeyName } from '@jackstay/ledger/bundle'
import { ledgerKeyFrom } from '@jackstay/ledger/key'
import { keyName } from '@jackstay/ledger/key-file'
import { directoryReader, httpReader, type TileReader } from '@jackstay/ledger/reader'
import { databaseName, type StoreReader, storeReader } from '@jackstay/ledger/sqlite-reader'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import type { Mediator } from '../mediator.ts'
import { readBytes } from '../read-file.ts'
import type { Terminal } from '../terminal.ts'

/** A log to read, and the key it must be signed with. */
export interface LogSource {
  readonly read: TileReader
  readonly vkey: string
  /** What a leaf only commits to, by name; only a data directory has it. */
  readonly values?: StoreReader['values']
  /** Where the key came from, when it was not the user who gave it. */
  readonly keyFrom?: string
  /** Who serves it, where it is not a folder. */
  readonly mediator?: Mediator
  close(): void
}

export interface LogRequest {
  /** A data directory or an exported log; else the mediator is asked. */
  readonly data?: string | undefined
  /** A verifier key, or a file with one. */
  readonly key?: string | undefined
}

export type OpenMediator = <T>(use: (mediator: Mediator) => Promise<T>) => Promise<T>

const requestTimeoutMs = 15_000

/** Opens the log that a command is about, for as long as `use` takes. */
export async function withLog<T>(
  { data, key: keyText }: LogRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
  use: (log: LogSource) => Promise<T>,
): Promise<T> {
  const key = keyText === undefined ? undefined : await readKey(keyText)
  if (data === undefined) {
    return openMediator(async (mediator) => use(await served(mediator, key, terminal.signal)))
  }
  const log = await stored(data, key)
  try {
    return await use(log)
  } finally {
    log.close()
  }
}

async function served(
  mediator: Mediator,
  key: string | undefined,
  signal: AbortSignal,
): Promise<LogSource> {
  const base = new URL('/ledger/', mediator.url)
  const read = httpReader({ base, fetch: mediator.fetch, signal, timeoutMs: requestTimeoutMs })
  const close = () => {}
  if (key !== undefined) return { read, vkey: key, mediator, close }
  const vkey = (await mediator.text('/ledger/vkey')).trim()
  const keyFrom = `the server \`${mediator.url.origin}\` itself`
  return { read, vkey, keyFrom, mediator, close }
}

async function stored(data: string, key: string | undefined): Promise<LogSource> {
  assertFolder(data)
  const live = existsSync(join(data, databaseName))
  const ofLog = [databaseName, keyName, vkeyName, 'checkpoint', 'tile']
  if (!ofLog.some((name) => existsSync(join(data, name)))) {
    accessSync(data, constants.X_OK)
    throw usageError(`\`${data}\` is neither a data directory nor an exported log; correct --data`)
  }
  const vkey = key ?? (await keyInside(data))
  const keyFrom = key === undefined ? { keyFrom: `the folder \`${data}\` itself` } : {}
  if (!live) return { read: directoryReader(data), vkey, ...keyFrom, close: () => {} }
  const reader = storeReader(data)
  const { values, close } = reader
  return { read: reader, vkey, ...keyFrom, values, close }
}

/** @throws CommandFailed where there is no such folder */
export function assertFolder(data: string): void {
  if (existsSync(data)) return
  throw new CommandFailed(exitCodes.notFound, 'not_found', `no folder \`${data}\`; correct --data`)
}

/** @throws CommandFailed where the folder holds no log of ours */
export function assertDataDirectory(data: string): void {
  assertFolder(data)
  if (existsSync(join(data, databaseName)) || existsSync(join(data, keyName))) return
  accessSync(data, constants.X_OK)
  throw usageError(`\`${data}\` is no data directory of a mediator; correct --data`)
}

/** A data directory holds the signing key, a bundle the verifier key. */
async function keyInside(data: string): Promise<string> {
  const [signing, verifier] = [join(data, keyName), join(data, vkeyName)]
  const secret = readInside(signing)?.trim()
  if (secret !== undefined) return ledgerKeyFrom(secret).vkey
  const key = readInside(verifier)?.trim()
  if (key !== undefined) return key
  throw usageError(`\`${data}\` holds no key; give the log's verifier key with --key`)
}

const insideLimit = 64 * 1024

/** A small file of a folder that anybody may have made. */
export function readInside(path: string): string | undefined {
  return readBounded(path, insideLimit)?.toString('utf8')
}

/** A verifier key is `name+hash+base64`; anything else is the name of a file with one. */
export async function readKey(text: string): Promise<string> {
  if (/^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(text)) return text
  return (await readText(text)).trim()
}

/** @throws CommandFailed for a file that is not there or too large */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8')
}
