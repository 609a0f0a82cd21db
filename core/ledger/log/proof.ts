import { JackstayError } from '@jackstay/contract/errors'
import { type Checkpoint, hashFromBase64, openCheckpoint } from './checkpoint.ts'
import { strictBase64, type Verifier } from './note.ts'
import { type Hash, leafHash, verifyInclusion } from './tree.ts'

/**
 * One leaf's proof in one text (https://c2sp.org/tlog-proof): where it stands, its audit path, and
 * the checkpoint it leads to with every signature. The leaf itself travels beside it.
 */
export interface Proof {
  readonly index: number
  /** The audit path, leaf side first. */
  readonly path: readonly Hash[]
  /** The note with its signatures, as it was published. */
  readonly checkpoint: string
  /** Authenticated by nothing: a hint for whoever looks for the leaf. */
  readonly extra?: Uint8Array
}

const firstLine = 'c2sp.org/tlog-proof@v1'
/** As deep as a tree of 2^63 leaves. */
const longestPath = 63
const longestProof = 1_100_000

export type ProofVerdict =
  | { readonly ok: true; readonly index: number; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly problem: string }

/** @throws JackstayError `invalid_request` when a reader would not take it */
export function formatProof({ index, path, checkpoint, extra }: Proof): string {
  const lines = [
    firstLine,
    ...(extra === undefined ? [] : [`extra ${Buffer.from(extra).toString('base64')}`]),
    `index ${index}`,
    ...path.map((hash) => Buffer.from(hash).toString('base64')),
  ]
  const text = `${lines.join('\n')}\n\n${checkpoint}`
  if (parseProof(text) !== undefined) return text
  throw new JackstayError('invalid_request', `leaf \`${index}\` gives no proof a reader would take`)
}

/** The parts of a proof, nothing verified; undefined when the text is none. */
export function parseProof(text: string): Proof | undefined {
  // The head ends at the first empty line; a checkpoint begins with a line that has text.
  const split = text.indexOf('\n\n')
  if (split < 0 || text.length > longestProof) return undefined
  const lines = text.slice(0, split).split('\n')
  if (lines.shift() !== firstLine) return undefined
  const extra = lines[0]?.startsWith('extra ')
    ? strictBase64(lines.shift()?.slice('extra '.length) ?? '')
    : null
  const index = /^index (0|[1-9][0-9]{0,14})$/.exec(lines.shift() ?? '')?.[1]
  if (extra === undefined || index === undefined || lines.length > longestPath) return undefined
  const path: Hash[] = []
  for (const line of lines) {
    const hash = hashFromBase64(line)
    if (hash === undefined) return undefined
    path.push(hash)
  }
  const checkpoint = text.slice(split + 2)
  return { index: Number(index), path, checkpoint, ...(extra === null ? {} : { extra }) }
}

/**
 * Whether `leaf` stands in the log of `verifier` where the proof says. Whether witnesses saw the
 * checkpoint is for `quorumMet`.
 */
export function verifyProof(text: string, leaf: Uint8Array, verifier: Verifier): ProofVerdict {
  const proof = parseProof(text)
  if (proof === undefined) return { ok: false, problem: 'not a proof of one leaf' }
  const opened = openCheckpoint(proof.checkpoint, verifier)
  if (!opened.ok) return opened
  const { size, root } = opened.checkpoint
  const { index, path } = proof
  if (verifyInclusion({ index, size, leaf: leafHash(leaf), proof: path, root })) {
    return { ok: true, index, checkpoint: opened.checkpoint }
  }
  return { ok: false, problem: `the leaf is not number ${index} of a log of ${size} leaves` }
}
