import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ledgerKeyFrom } from '@jackstay/ledger/key'
import { directoryReader, httpReader, storeReader, type TileReader } from '@jackstay/ledger/reader'
import { type LedgerVerdict, verifyLedger } from '@jackstay/ledger/verify'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import type { Mediator } from './mediator.ts'
import { type Line, styled } from './screen.ts'
import { print, printJson, type Terminal } from './terminal.ts'

/** A log to check, and the key it must be signed with. */
interface Source {
  readonly read: TileReader
  readonly vkey: string
  /** Where the key came from, when it was not the user who gave it. */
  readonly keyFrom?: string
  close(): void
}

export interface LedgerRequest {
  /** A data directory or an exported log; else the mediator is asked. */
  readonly data?: string | undefined
  /** A verifier key, or a file with one. */
  readonly key?: string | undefined
  /** A file with an earlier checkpoint. */
  readonly checkpoint?: string | undefined
  readonly json: boolean
}

const requestTimeoutMs = 15_000

/** Recomputes the whole log. @throws CommandFailed with exit code 5 when something is wrong */
export async function verify(
  request: LedgerRequest,
  terminal: Terminal,
  openMediator: <T>(use: (mediator: Mediator) => Promise<T>) => Promise<T>,
): Promise<void> {
  const { data } = request
  const key = request.key === undefined ? undefined : await readKey(request.key)
  if (data === undefined) {
    await openMediator(async (mediator) =>
      check(await served(mediator, key, terminal.signal), request, terminal),
    )
  } else await check(await stored(data, key), request, terminal)
}

async function check(source: Source, request: LedgerRequest, terminal: Terminal): Promise<void> {
  try {
    const { checkpoint } = request
    const known = checkpoint === undefined ? undefined : await readText(checkpoint)
    const { read, vkey, keyFrom } = source
    const options = { read, vkey, ...(known !== undefined && { knownCheckpoint: known }) }
    const verdict = await verifyLedger(options)
    const origin = vkey.split('+')[0] ?? ''
    if (request.json)
      printJson(terminal, { origin, vkey, keyGiven: keyFrom === undefined, ...verdict })
    else print(terminal, verdictLines(verdict, origin, keyFrom, known !== undefined))
    if (!verdict.ok) throw new CommandFailed(exitCodes.ledger, verdict.problem, advice(verdict))
  } finally {
    source.close()
  }
}

function advice({ message }: { readonly message: string }): string {
  return `the ledger does not verify: ${message}; keep a copy of it and treat the mediator as compromised`
}

async function served(
  mediator: Mediator,
  key: string | undefined,
  signal: AbortSignal,
): Promise<Source> {
  const base = new URL('/ledger/', mediator.url)
  const read = httpReader({ base, fetch: mediator.fetch, signal, timeoutMs: requestTimeoutMs })
  const close = () => {}
  if (key !== undefined) return { read, vkey: key, close }
  const vkey = (await mediator.text('/ledger/vkey')).trim()
  return { read, vkey, keyFrom: `the server \`${mediator.url.origin}\` itself`, close }
}

async function stored(data: string, key: string | undefined): Promise<Source> {
  if (!existsSync(data)) {
    throw new CommandFailed(
      exitCodes.notFound,
      'not_found',
      `no folder \`${data}\`; correct --data`,
    )
  }
  const live = existsSync(join(data, 'ledger.sqlite'))
  const keyFile = join(data, 'ledger.key')
  if (key === undefined && !existsSync(keyFile)) {
    throw usageError(`\`${data}\` holds no key; give the log's verifier key with --key`)
  }
  const vkey = key ?? ledgerKeyFrom((await readText(keyFile)).trim()).vkey
  const keyFrom = key === undefined ? { keyFrom: `the folder \`${data}\` itself` } : {}
  if (!live) return { read: directoryReader(data), vkey, ...keyFrom, close: () => {} }
  const reader = storeReader(data)
  return { read: reader, vkey, ...keyFrom, close: () => reader.close() }
}

/** A verifier key is `name+hash+base64`; anything else is the name of a file with one. */
async function readKey(text: string): Promise<string> {
  if (/^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(text)) return text
  return (await readText(text)).trim()
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const exit = code === 'ENOENT' ? exitCodes.notFound : exitCodes.usage
    throw new CommandFailed(
      exit,
      'unreadable_file',
      `\`${path}\` cannot be read (${code}); correct the path`,
    )
  }
}

/** The verdict, and how much it is worth. Pure. */
export function verdictLines(
  verdict: LedgerVerdict,
  origin: string,
  keyFrom: string | undefined,
  compared: boolean,
): Line[] {
  const lines: Line[] = verdict.ok
    ? [
        [styled('green', 'ok'), ` — every leaf and tile follows from the signed root`],
        [`origin   ${origin}`],
        [`size     ${verdict.size} leaves`],
        [`root     ${verdict.root}`],
      ]
    : [
        [styled('red', verdict.problem), ` — ${verdict.message}`],
        [`origin   ${origin}`],
        ...(verdict.index === undefined ? [] : [[`leaf     ${verdict.index} and what follows`]]),
      ]
  if (keyFrom !== undefined) {
    lines.push([
      styled(
        'yellow',
        `the key was taken from ${keyFrom}: this shows damage, not forgery; give the key you kept with --key`,
      ),
    ])
  }
  if (verdict.ok && !compared) {
    lines.push([
      styled(
        'dim',
        "without --checkpoint the key's owner is believed not to have rewritten the log",
      ),
    ])
  }
  return lines
}
