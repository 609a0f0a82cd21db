import type { BundleVerdict } from '@jackstay/ledger/bundle-verify'
import { followKeys } from '@jackstay/ledger/follow-keys'
import { contradiction } from '@jackstay/ledger/kept-checkpoint'
import type { TileReader } from '@jackstay/ledger/reader'
import { type LedgerVerdict, verifyLedger } from '@jackstay/ledger/verify'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { type Line, styled } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { partOf, verifyPart } from './bundle.ts'
import { demandPolicy, type EvidenceRequest, evidenceOf, quorumMissing, sizeOf } from './quorum.ts'
import { type LogSource, type OpenMediator, readText, withLog } from './source.ts'

export interface LedgerRequest extends EvidenceRequest {
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
  const { checkpoint, data = '' } = request
  const known = checkpoint === undefined ? undefined : await readCheckpoint(checkpoint)
  const { read, vkey, keyFrom } = log
  const options = { read, vkey, ...(known !== undefined && { knownCheckpoint: known }) }
  const part = partOf(request.data)
  const verdictWith = (keys: readonly string[]) => {
    const [key = vkey, ...formerVkeys] = keys.toReversed()
    const asked = { ...options, vkey: key, formerVkeys }
    return part === undefined ? verifyLedger(asked) : verifyPart(data, asked, part)
  }
  const { verdict, followed } = await following(read, vkey, part?.from, verdictWith)
  const origin = vkey.split('+')[0] ?? ''
  // what a bundle was handed out for has to be cosigned; a log goes on after it was
  const last = part === undefined ? 0 : part.to - 1
  const asked = verdict.ok && request.policy !== undefined
  const backing = asked
    ? await backingOf(request, verifiedLog(log, verdict.checkpoint, followed), last)
    : {}
  const { witnessed } = backing
  if (request.json)
    printData(terminal, {
      ...{ origin, vkey, keyGiven: keyFrom === undefined, followed, ...verdict },
      ...(witnessed && { witnessed }),
    })
  else print(terminal, verdictLines(verdict, origin, keyFrom, known !== undefined, followed))
  if (!verdict.ok) throw new CommandFailed(exitCodes.ledger, verdict.problem, advice(verdict))
  if (backing.failure !== undefined) throw backing.failure
  if (witnessed !== undefined && !request.json) {
    print(terminal, [[`${witnessed.reason}, at ${witnessed.size} leaves`]])
  }
}

interface Backing {
  readonly witnessed?: { readonly reason: string; readonly size: number }
  /** Told after the verdict, which stands for itself. */
  readonly failure?: unknown
}

async function backingOf(request: LedgerRequest, log: LogSource, last: number): Promise<Backing> {
  try {
    return { witnessed: await demandQuorum(request, log, last) }
  } catch (failure) {
    return { failure }
  }
}

/** The log whose tree was verified: whoever serves it may by now answer with another checkpoint. */
function verifiedLog(log: LogSource, note: string, followed: readonly string[] = []): LogSource {
  const { read, vkey } = log
  const tile: TileReader['tile'] = (...args) => read.tile(...args)
  return { ...log, vkey: followed.at(-1) ?? vkey, read: { checkpoint: async () => note, tile } }
}

/** The witnesses that stand behind this very log, up to this leaf at least. */
async function demandQuorum(
  request: LedgerRequest,
  log: LogSource,
  last: number,
): Promise<NonNullable<Backing['witnessed']>> {
  const { note, size, quorum } = await evidenceOf(request, log, last)
  const verified = (await log.read.checkpoint()) ?? ''
  // a log that grew meanwhile may be cosigned beyond what was verified: then that begins this
  const [now, kept] = size > sizeOf(verified) ? [note, verified] : [verified, note]
  const other = await contradiction({ ...log.read, checkpoint: async () => now }, log.vkey, kept)
  if (other !== undefined) throw new CommandFailed(exitCodes.ledger, other.problem, advice(other))
  if (quorum === undefined) await demandPolicy(request)
  if (quorum?.met !== true) throw quorumMissing(quorum?.reason ?? 'no policy names any')
  return { reason: quorum.reason, size }
}

/** The verdict under the given key, or under the one that its rotations lead to. */
async function following(
  read: TileReader,
  vkey: string,
  from: number | undefined,
  verdictWith: (vkeys: readonly string[]) => Promise<LedgerVerdict | BundleVerdict>,
) {
  const verdict = await verdictWith([vkey])
  if (verdict.ok || verdict.problem !== 'checkpoint_invalid') return { verdict }
  // only how far to look is taken from the checkpoint that does not verify
  const size = Number((await read.checkpoint())?.split('\n')[1])
  if (!Number.isSafeInteger(size)) return { verdict }
  const keys = await followKeys(read, size, vkey, from)
  return keys.length === 1 ? { verdict } : { verdict: await verdictWith(keys), followed: keys }
}

/** A file named by mistake says nothing about the log. */
async function readCheckpoint(path: string): Promise<string> {
  const text = await readText(path)
  if (/^.+\n\d+\n[A-Za-z0-9+/]{43}=\n/.test(text)) return text
  throw usageError(`\`${path}\` is no checkpoint of a log; correct --checkpoint`)
}

function advice({ problem, message }: { readonly problem: string; readonly message: string }) {
  if (/^(known_)?checkpoint_invalid$/.test(problem)) {
    return `the ledger does not verify: ${message}; make sure first that key, checkpoint and log are those of one cluster, then keep a copy of it and treat the mediator as compromised`
  }
  return `the ledger does not verify: ${message}; keep a copy of it and treat the mediator as compromised`
}

/** The verdict, and how much it is worth. Pure. */
function verdictLines(
  verdict: LedgerVerdict | BundleVerdict,
  origin: string,
  keyFrom: string | undefined,
  compared: boolean,
  followed: readonly string[] = [],
): Line[] {
  const lines: Line[] = verdict.ok
    ? [
        [
          styled('green', 'ok'),
          ` — every leaf ${'from' in verdict ? 'of this part ' : ''}and every tile follows from the signed root`,
        ],
        [`origin   ${origin}`],
        [
          `size     ${verdict.size} leaves${'from' in verdict ? `; checked ${verdict.from} to ${verdict.to - 1}` : ''}`,
        ],
        [`root     ${verdict.root}`],
        ...('minimum' in verdict ? prunedLines(verdict) : []),
        ...('values' in verdict && verdict.values
          ? [[`values   ${verdict.values} are the ones that the leaves commit to`]]
          : []),
      ]
    : [
        [styled('red', verdict.problem), ` — ${verdict.message}`],
        [`origin   ${origin}`],
        ...(verdict.index === undefined ? [] : [[`leaf     ${verdict.index} and what follows`]]),
      ]
  for (const key of followed.slice(1)) lines.push([`handed over to ${key}`])
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

/** What is not there to be checked leaf by leaf any more. */
function prunedLines({ minimum, prune }: Extract<LedgerVerdict, { ok: true }>): Line[] {
  if (prune === undefined) return []
  return [
    [
      styled('yellow', `leaves 0 to ${minimum - 1} were pruned`),
      `: leaf ${prune.leaf}, ${prune.by}: ${prune.reason}`,
    ],
    ['         their hash tiles stand for them, and give the signed root with the rest'],
  ]
}
