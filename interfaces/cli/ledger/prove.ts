import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeLeaf } from '@jackstay/ledger/leaf'
import { tilesOfSize } from '@jackstay/ledger/log-tiles'
import { verifierFromVkey } from '@jackstay/ledger/note'
import { formatProof, parseProof, verifyProof } from '@jackstay/ledger/proof'
import type { TileReader } from '@jackstay/ledger/reader'
import { decodeBundle, tileWidth, widthOf } from '@jackstay/ledger/tiles'
import { inclusionProof } from '@jackstay/ledger/tree'
import { quorumMet } from '@jackstay/ledger/witness-policy'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed, usageError } from '../failure.ts'
import { type Line, styled, typed } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { type EvidenceRequest, evidenceOf, policyOf, quorumMissing, sizeOf } from './quorum.ts'
import { type LogSource, type OpenMediator, readKey, readText, withLog } from './source.ts'

export interface ProveRequest extends EvidenceRequest {
  /** An intent's id, or the index of a leaf. */
  readonly id: string
  /** A folder for the proofs. */
  readonly out: string
  readonly json: boolean
}

/** Writes one tlog-proof for each leaf of an intent; the leaf itself is its extra data. */
export async function prove(
  asked: ProveRequest,
  terminal: Terminal,
  openMediator: OpenMediator,
): Promise<void> {
  const request = { ...asked, id: withoutPrefix(asked.id) }
  await withLog(request, terminal, openMediator, async (log) => {
    const { read, vkey } = log
    const newest = sizeOf((await read.checkpoint()) ?? '')
    const indexes = await indexesOf(request.id, log, newest)
    const evidence = await evidenceOf(request, log, Math.max(...indexes))
    const tiles = tilesOfSize(read, evidence.size)
    await mkdir(request.out, { recursive: true })
    const proofs: { index: number; kind: string; file: string }[] = []
    for (const index of indexes) {
      const leaf = await leafAt(read, index, newest)
      assertOf(request.id, index, leaf)
      const path = await inclusionProof(index, evidence.size, tiles)
      const text = formatProof({ index, path, checkpoint: evidence.note, extra: leaf })
      const verdict = verifyProof(text, leaf, verifierFromVkey(vkey))
      if (!verdict.ok) throw new CommandFailed(exitCodes.ledger, 'ledger_damaged', verdict.problem)
      const file = join(request.out, `${index}.tlog-proof`)
      await writeFile(file, text)
      proofs.push({ index, kind: decodeLeaf(leaf).kind, file })
    }
    if (request.json) return printData(terminal, { vkey, size: evidence.size, proofs })
    print(terminal, provedLines(proofs, vkey, evidence.quorum?.reason))
  })
}

function provedLines(
  proofs: readonly { readonly index: number; readonly kind: string; readonly file: string }[],
  vkey: string,
  quorum: string | undefined,
): Line[] {
  return [
    ...proofs.map(({ index, kind, file }) => [
      styled('green', 'proved'),
      ` leaf ${index} (${kind}) in ${file}`,
    ]),
    ...(quorum === undefined ? [] : [[quorum]]),
    [
      typed(
        'check one with `jackstay ledger verify --proof FILE --key KEY`; the key of the log is',
      ),
    ],
    [`  ${vkey}`],
    [
      styled(
        'dim',
        'or with any tool for c2sp.org/tlog-proof: the line `extra` holds the leaf, base64',
      ),
    ],
  ]
}

export interface VerifyProofRequest {
  /** A file with a tlog-proof. */
  readonly proof: string
  readonly key?: string | undefined
  readonly policy?: string | undefined
  readonly json: boolean
}

/** Checks one proof offline. @throws CommandFailed with exit code 5 when it does not hold */
export async function verifyOneProof(
  request: VerifyProofRequest,
  terminal: Terminal,
): Promise<void> {
  if (request.key === undefined) throw usageError("give the log's verifier key with --key")
  const text = await readText(request.proof)
  const leaf = parseProof(text)?.extra
  if (leaf === undefined) {
    throw usageError(`\`${request.proof}\` is no proof that carries its leaf; make it again`)
  }
  const verifier = verifierFromVkey(await readKey(request.key))
  const verdict = verifyProof(text, leaf, verifier)
  if (!verdict.ok) {
    throw new CommandFailed(
      exitCodes.ledger,
      'proof_invalid',
      `the proof does not hold: ${verdict.problem}; make sure first that --key is the key of its log`,
    )
  }
  const policy = (await policyOf(request))?.witnesses
  const quorum = policy && quorumMet(parseProof(text)?.checkpoint ?? '', policy.policy, [verifier])
  if (quorum?.met === false) throw quorumMissing(quorum.reason)
  const { index, checkpoint } = verdict
  const { kind, intent, data } = decodeLeaf(leaf)
  if (request.json) {
    const { origin, size } = checkpoint
    return printData(terminal, { ok: true, origin, size, index, kind, intent, data, quorum })
  }
  print(terminal, [
    [styled('green', 'ok'), ` — leaf ${index} of ${checkpoint.size} in ${checkpoint.origin}`],
    [`kind     ${kind}`],
    ...(intent === undefined ? [] : [[`intent   ${intent}`]]),
    ...(quorum === undefined ? [] : [[quorum.reason]]),
    [`leaf     ${JSON.stringify(data)}`],
  ])
}

/** `leaf/5` as `redact` writes it is `5`. */
function withoutPrefix(id: string): string {
  return /^leaf\/(\d+)$/.exec(id)?.[1] ?? id
}

function isIndex(id: string): boolean {
  return /^\d{1,15}$/.test(id)
}

async function indexesOf(
  id: string,
  { read, mediator }: LogSource,
  size: number,
): Promise<readonly number[]> {
  if (isIndex(id)) return [Number(id)]
  if (!/^[0-9a-f-]{36}$/.test(id)) {
    throw usageError(
      `\`${id}\` is neither the id of an intent nor a leaf; write one such as \`leaf/1200\``,
    )
  }
  // The intent's own view names its leaves; elsewhere they are looked for.
  const found =
    mediator === undefined
      ? await search(id, read, size)
      : (await mediator.intent(id)).events.flatMap(({ leafIndexes }) => leafIndexes)
  if (found.length > 0) return found
  throw new CommandFailed(
    exitCodes.notFound,
    'not_found',
    `the log has no leaf of intent \`${id}\``,
  )
}

/** Whoever serves the log also says which leaves are the intent's, and is not believed. */
function assertOf(id: string, index: number, leaf: Uint8Array): void {
  if (isIndex(id) || decodeLeaf(leaf).intent === id) return
  throw new CommandFailed(
    exitCodes.ledger,
    'ledger_damaged',
    `leaf ${index} was named as one of \`${id}\` and is not: nothing is proved with it; treat the mediator as compromised`,
  )
}

async function search(id: string, read: TileReader, size: number): Promise<readonly number[]> {
  const found: number[] = []
  for (let tile = 0; tile * tileWidth < size; tile++) {
    const bundle = await read.tile('entries', tile, widthOf(0, tile, size))
    if (bundle === undefined || !Buffer.from(bundle).includes(id)) continue
    for (const [i, entry] of (decodeBundle(bundle) ?? []).entries()) {
      if (Buffer.from(entry).includes(id) && decodeLeaf(entry).intent === id) {
        found.push(tile * tileWidth + i)
      }
    }
  }
  return found
}

async function leafAt(read: TileReader, index: number, size: number): Promise<Uint8Array> {
  const tile = Math.floor(index / tileWidth)
  const bundle = await read.tile('entries', tile, widthOf(0, tile, size))
  const leaf = decodeBundle(bundle ?? Buffer.of())?.[index % tileWidth]
  if (leaf !== undefined) return leaf
  throw new CommandFailed(
    exitCodes.notFound,
    'not_found',
    `leaf ${index} is not there: the log is shorter, or the leaf was pruned`,
  )
}
