import { hashFromBase64 } from '../log/checkpoint.ts'
import type { Hash } from '../log/tree.ts'

/** What a log asks of a witness (https://c2sp.org/tlog-witness, `add-checkpoint`). */
export interface AddCheckpoint {
  /** The size the log believes the witness to have. */
  readonly oldSize: number
  /** RFC 6962 consistency from there to the checkpoint; empty where that is trivial. */
  readonly proof: readonly Hash[]
  /** The checkpoint as a signed note. */
  readonly checkpoint: string
}

export const sizeContentType = 'text/x.tlog.size'
export const addCheckpointLimit = 64 * 1024
const longestProof = 63

export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`)
  return `old ${oldSize}\n${hashes.join('')}\n${checkpoint}`
}

/** Undefined when the body is none. The checkpoint is not looked at. */
export function parseAddCheckpoint(body: string): AddCheckpoint | undefined {
  const split = body.indexOf('\n\n')
  if (split < 0) return undefined
  const [first, ...lines] = body.slice(0, split).split('\n')
  const oldSize = sizeFrom(/^old (.*)$/.exec(first ?? '')?.[1])
  if (oldSize === undefined || lines.length > longestProof) return undefined
  const proof: Hash[] = []
  for (const line of lines) {
    const hash = hashFromBase64(line)
    if (hash === undefined) return undefined
    proof.push(hash)
  }
  return { oldSize, proof, checkpoint: body.slice(split + 2) }
}

/** A tree size in decimal, without leading zeroes. */
export function sizeFrom(text: string | undefined): number | undefined {
  return /^(0|[1-9][0-9]{0,14})$/.test(text ?? '') ? Number(text) : undefined
}
