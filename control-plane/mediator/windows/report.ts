import { type CompiledWindow, nextChange } from '@jackstay/judge/windows'
import type { Grant } from '../clearance/grant.ts'
import type { WindowView } from './window-view.ts'

/** What the status of a ChangeWindow says, besides its hash. */
export interface WindowReport {
  readonly valid: { readonly ok: boolean; readonly message: string }
  readonly inForce: { readonly ok: boolean; readonly message: string }
  /** Milliseconds since the epoch, when the report will differ. */
  readonly next: number | undefined
}

/**
 * Whether a window is valid and in force now, and until when. One that cannot be read says what it
 * then does; a break-glass window that nobody approved yet says who may.
 */
export function windowReport(
  { window }: WindowView,
  grant: Grant | undefined,
  now: number,
): WindowReport {
  if (window.problem !== undefined) {
    const message = consequence(window)
    const ok = window.spec.effect === 'freeze'
    return {
      valid: { ok: false, message: window.problem },
      inForce: { ok, message },
      next: undefined,
    }
  }
  const valid = { ok: true, message: 'its schedule and zone can be read' }
  const { open, at: next } = nextChange(window, now)
  if (grant?.granted === false)
    return { valid, inForce: { ok: false, message: grant.message }, next }
  return { valid, inForce: { ok: open, message: duration(open, next) }, next }
}

function consequence({ spec: { effect } }: CompiledWindow): string {
  switch (effect) {
    case 'freeze':
      return 'it cannot be read, so it freezes what it names until it is repaired'
    case 'allow':
      return 'it cannot be read, so it never opens: what it names is shut until it is repaired'
    default:
      return 'it cannot be read, so it lifts nothing'
  }
}

function duration(open: boolean, next: number | undefined): string {
  const at = next === undefined ? undefined : new Date(next).toISOString().replace('.000Z', 'Z')
  if (open) return at === undefined ? 'in force, with no end in sight' : `in force until ${at}`
  return at === undefined ? 'over: it opens no more' : `not in force before ${at}`
}
