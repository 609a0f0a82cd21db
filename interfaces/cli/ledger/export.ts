import { leavesBetween, writeBundle } from '@jackstay/ledger/bundle'
import { openCheckpoint } from '@jackstay/ledger/checkpoint'
import type { LeafRange } from '@jackstay/ledger/export'
import { verifierFromVkey } from '@jackstay/ledger/note'
import { oldestLeaf } from '@jackstay/ledger/oldest'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { progressOf } from '../progress.ts'
import { styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { type EvidenceRequest, evidenceOf, readAt } from './quorum.ts'
import { type LogSource, type OpenMediator, withLog } from './source.ts'

export interface ExportRequest extends EvidenceRequest {
  /** A leaf index or an RFC 3339 instant, each; the first is included, the last is not. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** The folder to make. */
  readonly out: string
  /** Also what the leaves only commit to. */
  readonly withValues: boolean
  readonly json: boolean
}

/** Hands out a part of the log as a folder that a stranger can check. */
export async function exportBundle(
  request: ExportRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<void> {
  await withLog(request, terminal, openMediator, async (log) => {
    const newest = await sizeOf(log)
    const range = await rangeOf(request, log, newest)
    const evidence = await evidenceOf(request, log, range.to - 1)
    const { from, to } = range
    const { size } = evidence
    const { vkey, keyFrom } = log
    const read = readAt(log.read, evidence)
    const progress = progressOf(terminal, `leaves of ${to - from} written`)
    const info = await writeBundle({
      ...{ read, vkey, directory: request.out, from, to },
      onProgress: progress,
      ...(request.withValues && { beside: valuesOf(log) }),
    })
    if (request.json) return printData(terminal, { ...info, vkey, folder: request.out })
    print(terminal, [
      [styled('green', 'exported'), ` leaves ${from} to ${to - 1} of ${size} into ${request.out}`],
      [`give it away with the log's key, which people must have from somewhere else:`],
      [`  ${vkey}`],
      [typed(`they check it with \`jackstay ledger verify --data ${request.out} --key KEY\``)],
      ...(evidence.quorum === undefined ? [] : [[evidence.quorum.reason]]),
      ...(keyFrom === undefined ? [] : [[styled('dim', `the key was taken from ${keyFrom}`)]]),
    ])
  })
}

/** What stands beside a leaf, with the salts that prove it; nothing for a leaf that has no values. */
function valuesOf({ values }: LogSource): (index: number) => Promise<object | undefined> {
  if (values === undefined) {
    throw usageError('values lie beside the log; name the data directory with --data')
  }
  return async (index) => {
    const all = await values(index)
    return Object.keys(all).length > 0 ? all : undefined
  }
}

async function sizeOf({ read, vkey }: LogSource): Promise<number> {
  const note = await read.checkpoint()
  if (note === undefined) throw nothingThere()
  const opened = openCheckpoint(note, verifierFromVkey(vkey))
  if (!opened.ok) {
    throw new CommandFailed(
      exitCodes.ledger,
      'checkpoint_invalid',
      `nothing was exported: ${opened.problem}; run \`jackstay ledger verify\``,
    )
  }
  if (opened.checkpoint.size === 0) throw nothingThere()
  return opened.checkpoint.size
}

function nothingThere(): CommandFailed {
  return new CommandFailed(exitCodes.notFound, 'not_found', 'the log has no leaves yet')
}

async function rangeOf(request: ExportRequest, log: LogSource, size: number): Promise<LeafRange> {
  const from = placeOf('--from', request.from)
  const to = placeOf('--to', request.to)
  const between = {
    ...(from?.at !== undefined && { from: from.at }),
    ...(to?.at !== undefined && { to: to.at }),
  }
  const dated = from?.at !== undefined || to?.at !== undefined
  const oldest = await oldestLeaf(log.read, size)
  const found = dated ? await leavesBetween(log.read, size, between) : { from: oldest, to: size }
  const range = { from: from?.index ?? found.from, to: to?.index ?? found.to }
  if (range.from < range.to && range.to <= size && range.from >= oldest) return range
  if (range.from < oldest) {
    throw usageError(`leaves below ${oldest} were pruned; begin with \`--from ${oldest}\``)
  }
  if (dated)
    throw new CommandFailed(
      exitCodes.notFound,
      'not_found',
      'no leaf lies between the two; `jackstay ledger status` says when the newest was made',
    )
  throw usageError(
    `the log has the leaves 0 to ${size - 1}; \`--from ${range.from} --to ${range.to}\` (the last is not included) is no part of it`,
  )
}

/** `1200`, or an instant such as `2026-11-01T00:00:00Z` or `2026-11-01`. */
function placeOf(
  flag: string,
  text: string | undefined,
): { readonly index?: number; readonly at?: number } | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return { index: Number(text) }
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return { at }
  throw usageError(
    `\`${flag} ${text}\` is neither a leaf nor a time; write 1200 or 2026-11-01T00:00:00Z`,
  )
}
