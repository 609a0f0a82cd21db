import type { Leaf } from '../store/leaf.ts'
import type { LedgerKey } from './key.ts'
import { openNote, signNote, verifierFromVkey } from './note.ts'

/**
 * How trust passes from one key to the next: a note that the old key and the new one signed. A
 * verifier who holds the old key learns the new one from it, and needs to believe nobody else.
 */

const rotation = 'jackstay.dev/ledger-rotation/v1'
const recovery = 'jackstay.dev/ledger-recovery/v1'

/** The log stays, its key changes. */
export function rotationNote(old: LedgerKey, next: LedgerKey): string {
  return signNote(`${rotation}\n${old.name}\n${next.vkey}\n`, [old, next])
}

/** A new log takes the place of one that was given up at `size` leaves. */
export function recoveryNote(
  old: LedgerKey,
  next: LedgerKey,
  at: { readonly size: number; readonly root: string },
): string {
  return signNote(`${recovery}\n${old.name}\n${next.vkey}\n${at.size}\n${at.root}\n`, [old, next])
}

/** The key that `vkey` handed its log over to by this leaf; undefined for any other leaf. */
export function successorIn(leaf: Leaf, vkey: string): string | undefined {
  if (leaf.kind !== 'rotation') return undefined
  const { data } = leaf
  if (data === null || typeof data !== 'object' || !('note' in data)) return undefined
  const { note } = data
  if (typeof note !== 'string') return undefined
  const old = verifierFromVkey(vkey)
  const opened = openNote(note, [old])
  if (!opened.ok) return undefined
  const [what, origin, next = '', ...rest] = opened.text.split('\n')
  if (what !== rotation || origin !== old.name || rest.join('') !== '') return undefined
  // the new key's own signature shows that whoever rotated held it
  return next.startsWith(`${origin}+`) && openNote(note, [verifierFromVkey(next)]).ok
    ? next
    : undefined
}
