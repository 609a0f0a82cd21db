import type { Leaf } from '../store/leaf.ts'
import type { LedgerKey } from './key.ts'
import { openNote, signNote, verifierFromVkey } from './note.ts'
import { nextOrigin } from './origin.ts'

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

/** The key that `vkey` handed over to by this leaf, of its log or of the one that followed it. */
export function successorIn(leaf: Leaf, vkey: string): string | undefined {
  const { kind, data } = leaf
  if (data === null || typeof data !== 'object' || !('note' in data)) return undefined
  const { note } = data
  if (typeof note !== 'string') return undefined
  const old = verifierFromVkey(vkey)
  const read = openNote(note, [old])
  if (!read.ok) return undefined
  const [what, origin, next = ''] = read.text.split('\n')
  const successor = kind === 'rotation' ? old.name : kind === 'recovery' && nextOrigin(old.name)
  if (what !== (kind === 'rotation' ? rotation : recovery)) return undefined
  if (origin !== old.name || successor === false || !next.startsWith(`${successor}+`)) {
    return undefined
  }
  // the new key's own signature shows that whoever handed over held it
  return openNote(note, [verifierFromVkey(next)]).ok ? next : undefined
}
