/** What `doctor` says of one thing. */
export interface Finding {
  /** `wrong`: to be mended; `unseen`: you may not look; `note`: for you to know, and nothing is wrong. */
  readonly severity: 'wrong' | 'unseen' | 'note'
  readonly what: string
  /** What to do about it, or to type. */
  readonly next: string
}

export function wrong(what: string, next: string): Finding {
  return { severity: 'wrong', what, next }
}

export function note(what: string, next: string): Finding {
  return { severity: 'note', what, next }
}
