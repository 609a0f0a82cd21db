export type LedgerProblem =
  | 'checkpoint_missing'
  | 'checkpoint_invalid'
  | 'known_checkpoint_invalid'
  | 'entries_missing'
  | 'entries_malformed'
  | 'tile_missing'
  | 'leaf_changed'
  | 'tile_changed'
  | 'root_differs'
  | 'prune_differs'
  | 'leaf_shown_differs'
  | 'value_differs'
  | 'truncated'
  | 'forked'

/** What is wrong with a log. */
export interface LedgerDefect {
  readonly ok: false
  readonly problem: LedgerProblem
  readonly message: string
  /** The first leaf known to be wrong or missing. */
  readonly index?: number
}

export function defect(problem: LedgerProblem, message: string, index?: number): LedgerDefect {
  return { ok: false, problem, message, ...(index === undefined ? {} : { index }) }
}
