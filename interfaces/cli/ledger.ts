import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bundleInfo, bundleInfoName } from '@jackstay/ledger/bundle'
import { type BundleVerdict, verifyBundle } from '@jackstay/ledger/bundle-verify'
import type { LeafRange } from '@jackstay/ledger/export'
import { type LedgerVerdict, verifyLedger } from '@jackstay/ledger/verify'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed, usageError } from './failure.ts'
import {
  type LogRequest,
  type LogSource,
  type OpenMediator,
  readText,
  withLog,
} from './ledger-source.ts'
import { type Line, styled } from './screen.ts'
import { print, printJson, type Terminal } from './terminal.ts'

export interface LedgerRequest extends LogRequest {
  /** A file with an earlier checkpoint. */
  readonly checkpoint?: string | undefined
  readonly json: boolean
}

/** Recomputes the whole log. @throws CommandFailed with exit code 5 when something is wrong */
export async function verify(
  request: LedgerRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<void> {
  await withLog(request, terminal, openMediator, (log) => check(log, request, terminal))
}

async function check(log: LogSource, request: LedgerRequest, terminal: Terminal): Promise<void> {
  const { checkpoint } = request
  const known = checkpoint === undefined ? undefined : await readText(checkpoint)
  const { read, vkey, keyFrom } = log
  const options = { read, vkey, ...(known !== undefined && { knownCheckpoint: known }) }
  const part = await partOf(request.data)
  const verdict = part
    ? await verifyBundle({ ...options, range: part })
    : await verifyLedger(options)
  const origin = vkey.split('+')[0] ?? ''
  if (request.json)
    printJson(terminal, { origin, vkey, keyGiven: keyFrom === undefined, ...verdict })
  else print(terminal, verdictLines(verdict, origin, keyFrom, known !== undefined))
  if (!verdict.ok) throw new CommandFailed(exitCodes.ledger, verdict.problem, advice(verdict))
}

/** The leaves that a bundle of a part of a log holds; undefined for anything else. */
async function partOf(data: string | undefined): Promise<LeafRange | undefined> {
  const path = data === undefined ? undefined : join(data, bundleInfoName)
  if (path === undefined || !existsSync(path)) return undefined
  const parsed = bundleInfo.safeParse(jsonOf(await readText(path)))
  if (parsed.success) return parsed.data
  throw usageError(`\`${path}\` is no description of a bundle; ask for the bundle again`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function advice({ message }: { readonly message: string }): string {
  return `the ledger does not verify: ${message}; keep a copy of it and treat the mediator as compromised`
}

/** The verdict, and how much it is worth. Pure. */
export function verdictLines(
  verdict: LedgerVerdict | BundleVerdict,
  origin: string,
  keyFrom: string | undefined,
  compared: boolean,
): Line[] {
  const lines: Line[] = verdict.ok
    ? [
        [styled('green', 'ok'), ` — every leaf and tile follows from the signed root`],
        [`origin   ${origin}`],
        [
          `size     ${verdict.size} leaves${'from' in verdict ? `; checked ${verdict.from} to ${verdict.to - 1}` : ''}`,
        ],
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
