import { openNote, type Signer, signNote, strictBase64, type Verifier } from './note.ts'

/** The state of a log that its owner signed (https://c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

export type OpenedCheckpoint =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly problem: string }

export function signCheckpoint(checkpoint: Checkpoint, signers: readonly Signer[]): string {
  const { origin, size, root } = checkpoint
  return signNote(`${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`, signers)
}

/** Opens a note that `verifier`, whose name is the log's origin, must have signed. */
export function openCheckpoint(note: string, verifier: Verifier): OpenedCheckpoint {
  const opened = openNote(note, [verifier])
  if (!opened.ok) return opened
  const read = readCheckpoint(opened.text)
  if (!read.ok || read.checkpoint.origin === verifier.name) return read
  return { ok: false, problem: `the checkpoint speaks for \`${read.checkpoint.origin}\`` }
}

/** What a note's text says of a log; nobody's word until a signature was checked. */
export function readCheckpoint(text: string): OpenedCheckpoint {
  const [origin, size, root] = text.split('\n')
  if (origin === undefined || origin === '') {
    return { ok: false, problem: 'the checkpoint names no log' }
  }
  if (size === undefined || !/^(0|[1-9][0-9]{0,14})$/.test(size)) {
    return { ok: false, problem: 'the checkpoint has no valid size' }
  }
  const bytes = hashFromBase64(root)
  if (bytes === undefined) return { ok: false, problem: 'the checkpoint has no valid root hash' }
  return { ok: true, checkpoint: { origin, size: Number(size), root: bytes } }
}

/** Opens a note that one of the keys a log has had must have signed: the newest last. */
export function openFormerCheckpoint(
  note: string,
  verifiers: readonly Verifier[],
): OpenedCheckpoint {
  const opened = verifiers.toReversed().map((verifier) => openCheckpoint(note, verifier))
  return opened.find(({ ok }) => ok) ?? opened[0] ?? { ok: false, problem: 'no key is known' }
}

/** One SHA-256 hash, which has one spelling only; undefined for anything else. */
export function hashFromBase64(text: string | undefined): Uint8Array | undefined {
  const bytes = text === undefined ? undefined : strictBase64(text)
  return bytes?.length === 32 ? bytes : undefined
}
