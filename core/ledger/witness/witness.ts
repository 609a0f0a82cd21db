import { readCheckpoint } from '../log/checkpoint.ts'
import { openNote, splitNote, type Verifier } from '../log/note.ts'
import { emptyFrontier, rootOf, verifyConsistency } from '../log/tree.ts'
import type { AddCheckpoint } from './add-checkpoint.ts'

/** The newest tree of one log that a witness has cosigned: all it ever has to remember. */
export interface WitnessedTree {
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/** Keys by origin: the logs a witness cosigns for. */
export type KnownLogs = ReadonlyMap<string, readonly Verifier[]>

export type WitnessDecision =
  | {
      readonly kind: 'cosign'
      readonly origin: string
      /** The text to cosign, once `next` is durable. */
      readonly text: string
      readonly next: WitnessedTree
    }
  | {
      readonly kind: 'refuse'
      /** As https://c2sp.org/tlog-witness assigns them. */
      readonly status: 400 | 403 | 404 | 409 | 422
      readonly message: string
      /** With 409: the size the witness has. */
      readonly size?: number
    }

const nothing: WitnessedTree = { size: 0, root: rootOf(emptyFrontier) }

/** Whose log a request is about, before anything of it was verified. */
export function originOf({ checkpoint }: AddCheckpoint): string | undefined {
  const read = readCheckpoint(splitNote(checkpoint)?.text ?? '')
  return read.ok ? read.checkpoint.origin : undefined
}

/**
 * What a witness answers, given what it has seen of the log so far. Pure; the order of the checks
 * is the specification's. The caller makes `next` durable before it signs.
 */
export function decideAddCheckpoint(
  request: AddCheckpoint,
  logs: KnownLogs,
  seen: WitnessedTree = nothing,
): WitnessDecision {
  const { oldSize, proof, checkpoint } = request
  const origin = originOf(request)
  if (origin === undefined) return refuse(400, 'the body holds no checkpoint')
  const keys = logs.get(origin)
  if (keys === undefined) return refuse(404, 'the log is not known here')
  const opened = openNote(checkpoint, keys)
  if (!opened.ok) return refuse(403, opened.problem)
  const read = readCheckpoint(opened.text)
  if (!read.ok) return refuse(400, read.problem)
  const { size, root } = read.checkpoint
  if (oldSize > size) return refuse(400, 'the old size is larger than the checkpoint')
  if (oldSize !== seen.size) return conflict('the old size is not the one seen last', seen.size)
  // INVARIANT: from here on `seen` is what the proof begins with, so a fork cannot pass.
  if (oldSize === size && !Buffer.from(root).equals(seen.root)) {
    return conflict('another tree of this size was cosigned', seen.size)
  }
  const span = { from: seen.size, to: size, fromRoot: seen.root, toRoot: root, proof }
  if (!verifyConsistency(span)) {
    return refuse(422, 'the checkpoint does not extend the one seen last')
  }
  return { kind: 'cosign', origin, text: opened.text, next: { size, root } }
}

function refuse(status: 400 | 403 | 404 | 422, message: string): WitnessDecision {
  return { kind: 'refuse', status, message }
}

function conflict(message: string, size: number): WitnessDecision {
  return { kind: 'refuse', status: 409, message, size }
}
