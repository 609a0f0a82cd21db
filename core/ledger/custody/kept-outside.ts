import { JackstayError } from '@jackstay/contract/errors'
import { openCheckpoint, readCheckpoint } from '../log/checkpoint.ts'
import { splitNote, verifierFromVkey } from '../log/note.ts'
import { baseOf, generationOf } from '../log/origin.ts'
import type { Anchor } from '../witness/anchor.ts'
import { contradiction } from '../witness/kept-checkpoint.ts'
import type { LogHome } from './log-home.ts'

/**
 * The largest checkpoint that anchors keep of a log which is to be given up. A mark in its directory stops
 * a second recovery of that directory alone; of a copy on another machine only they know.
 * @throws JackstayError `ledger_damaged` where another log has followed it, or another one of its name
 * was begun; `not_ready` where an anchor cannot be asked
 */
export async function keptOutside(
  anchors: readonly Anchor[],
  home: LogHome,
  vkey: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found: { readonly note: string; readonly size: number }[] = []
  for (const anchor of anchors) {
    const note = await newestOf(anchor, signal)
    if (note === undefined) continue
    assertNotFollowed(anchor, note, vkey)
    const own = openCheckpoint(note, verifierFromVkey(vkey))
    if (own.ok) found.push({ note, size: own.checkpoint.size })
    else await assertFormer(anchor, note, home, vkey)
  }
  return found.sort((a, b) => b.size - a.size)[0]?.note
}

async function newestOf({ name, newest }: Anchor, signal: AbortSignal) {
  try {
    return await newest(signal)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new JackstayError(
      'not_ready',
      `the anchor \`${name}\` cannot be asked whether another log has followed: ${why}; mend it, or leave it out of the policy`,
      { cause },
    )
  }
}

/** @throws JackstayError `ledger_damaged` where the note is of a log that followed the one of this key */
export function assertNotFollowed(by: { readonly name: string }, note: string, vkey: string): void {
  const read = readCheckpoint(splitNote(note)?.text ?? '')
  const origin = verifierFromVkey(vkey).name
  const other = read.ok ? read.checkpoint.origin : origin
  if (baseOf(other) !== baseOf(origin)) {
    throw new JackstayError(
      'invalid_request',
      `what \`${by.name}\` keeps is of another log, \`${other}\`: name the policy of this one`,
    )
  }
  if (generationOf(other) <= generationOf(origin)) return
  throw new JackstayError(
    'ledger_damaged',
    `the ledger was given up: \`${by.name}\` keeps a checkpoint of \`${other}\`, which has followed it; use that one, or the newest backup of it`,
  )
}

/** A checkpoint of this log from before its key was changed; or of one before it. */
async function assertFormer(
  { name }: Anchor,
  note: string,
  home: LogHome,
  vkey: string,
): Promise<void> {
  const read = readCheckpoint(splitNote(note)?.text ?? '')
  if (read.ok && generationOf(read.checkpoint.origin) < generationOf(verifierFromVkey(vkey).name)) {
    return
  }
  const wrong = await home.read(async (tiles) => (await contradiction(tiles, vkey, note))?.problem)
  // of a store that cannot be read nobody knows which keys it had
  if (wrong !== 'known_checkpoint_invalid') return
  throw new JackstayError(
    'ledger_damaged',
    `what the anchor \`${name}\` keeps is not signed with the key of this log: somebody began another log of this name, elsewhere; find it, and go on with one of them`,
  )
}
