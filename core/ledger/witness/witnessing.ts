import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts'
import { withSignatures } from '../log/cosignature.ts'
import { tilesOfSize } from '../log/log-tiles.ts'
import { splitNote, type Verifier, verifierFromVkey } from '../log/note.ts'
import type { TileReader } from '../log/reader.ts'
import { consistencyProof } from '../log/tree.ts'
import { readIfThere, replaceDurably } from '../store/durable-file.ts'
import { type Requester, requestCosignature, type WitnessAnswer } from './witness-client.ts'
import {
  type PolicyWitness,
  type QuorumVerdict,
  quorumMet,
  type WitnessPolicy,
} from './witness-policy.ts'

/** In the data directory: the newest checkpoint with the cosignatures that were collected. */
const fileName = 'witnessed'

export interface Witnessed {
  /** The checkpoint with every cosignature that was given. */
  readonly note: string
  readonly checkpoint: Checkpoint
  readonly verdict: QuorumVerdict
  readonly answers: readonly { readonly name: string; readonly answer: WitnessAnswer }[]
}

/**
 * Asks every witness of the policy that has an address to cosign the newest checkpoint of a log,
 * all at once.
 * @throws JackstayError from the reader; what a witness answers, or not, is in the result
 */
export async function collectCosignatures(
  read: TileReader,
  vkey: string,
  policy: WitnessPolicy,
  requester: Requester,
): Promise<Witnessed> {
  const log = verifierFromVkey(vkey)
  const own = (await read.checkpoint()) ?? ''
  const opened = openCheckpoint(own, log)
  if (!opened.ok) {
    throw new JackstayError('ledger_damaged', `the log has no good checkpoint: ${opened.problem}`)
  }
  const { size } = opened.checkpoint
  const tiles = tilesOfSize(read, size)
  const ask = async (witness: PolicyWitness, url: URL) => {
    const prove = (from: number, to: number) => consistencyProof(from, to, tiles)
    const request = { witness: { ...witness, url }, log, note: own, knownSize: 0, prove }
    return { name: witness.name, answer: await requestCosignature(request, requester) }
  }
  const answers = await Promise.all(
    policy.witnesses.flatMap((one) => (one.url === undefined ? [] : [ask(one, one.url)])),
  )
  const lines = answers.flatMap(({ answer }) => (answer.kind === 'cosigned' ? answer.lines : []))
  const note = withSignatures(own, lines)
  return { note, checkpoint: opened.checkpoint, verdict: quorumMet(note, policy, [log]), answers }
}

/** The newest checkpoint in a data directory that witnesses have cosigned. */
export function readWitnessed(directory: string): Promise<string | undefined> {
  return readIfThere(join(directory, fileName))
}

/**
 * Keeps a cosigned checkpoint in the data directory. One that meets the quorum is never given up
 * for a newer one that does not.
 */
export async function keepWitnessed(
  directory: string,
  { note, verdict }: Pick<Witnessed, 'note' | 'verdict'>,
  policy: WitnessPolicy,
  log: Verifier,
): Promise<void> {
  const kept = await readWitnessed(directory)
  if (kept !== undefined && !verdict.met && quorumMet(kept, policy, [log]).met) return
  const merged = kept === undefined ? note : merge(note, kept)
  if (merged !== kept) await replaceDurably(join(directory, fileName), merged)
}

/** The checkpoint with the cosignatures that are kept for exactly it. */
export function merge(note: string, kept: string | undefined): string {
  const [own, other] = [splitNote(note), splitNote(kept ?? '')]
  return own !== undefined && own.text === other?.text
    ? withSignatures(note, other.signatureLines)
    : note
}
