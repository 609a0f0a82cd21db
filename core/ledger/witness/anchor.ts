import type { Clock } from '../store/store.ts'

/** A place outside the cluster that keeps checkpoints, so that the log cannot be rewritten unnoticed. */
export interface Anchor {
  readonly name: string
  /** What it is, in words for people: never with a credential in it. */
  readonly description: string
  /** Resolves once the place has taken the checkpoint. */
  push(note: string, signal: AbortSignal): Promise<void>
  /** The newest checkpoint the place shows us; undefined when it has none, or shows none. */
  newest(signal: AbortSignal): Promise<string | undefined>
}

/** What is known of one anchor, across restarts. */
export interface AnchorState {
  readonly name: string
  /** The last checkpoint it took, how many leaves that has, and when (RFC 3339). */
  readonly pushed?: { readonly note: string; readonly size: number; readonly at: string }
  /** Since the last success. */
  readonly error?: { readonly message: string; readonly at: string }
}

export interface Anchored {
  readonly anchored: boolean
  readonly reason: string
}

/**
 * Whether the log counts as anchored: some place took a checkpoint with every leaf there is, or did
 * so lately. Pure.
 */
export function anchored(
  states: readonly AnchorState[],
  log: { readonly size: number; readonly clock: Clock; readonly staleMs: number },
): Anchored {
  if (states.length === 0) {
    return { anchored: false, reason: 'no place outside is configured to keep checkpoints' }
  }
  const now = log.clock.now()
  const fresh = states.filter(
    ({ pushed }) =>
      pushed !== undefined &&
      (pushed.size === log.size || now - Date.parse(pushed.at) <= log.staleMs),
  )
  if (fresh.length > 0) {
    const places = fresh.map(({ name, pushed }) => `\`${name}\` (${pushed?.size} leaves)`)
    return { anchored: true, reason: `kept by ${places.join(', ')}` }
  }
  const problems = states.map(({ name, pushed, error }) => {
    const last = pushed === undefined ? 'never took one' : `last took one at ${pushed.at}`
    return `\`${name}\` ${last}${error === undefined ? '' : `: ${error.message}`}`
  })
  return { anchored: false, reason: problems.join('; ') }
}
