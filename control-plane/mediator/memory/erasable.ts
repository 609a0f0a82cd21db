import type { Decision } from '@jackstay/contract/decision'
import type { ErasableName } from '@jackstay/contract/redaction'

/** What a leaf only commits to, by the names it may be erased under. */
export type Erasables = { readonly [N in ErasableName]?: object }

/** A decision without its words: rules and values, which no text of an agent gets into. */
export function bare(decision: Decision): object {
  const { reason: _, fired, ...rest } = decision
  return { ...rest, fired: fired.map(({ message: __, ...rule }) => rule) }
}

/** The words of a decision: an error in a rule quotes what it failed on. */
export function wordsOf({ reason, fired }: Decision): object {
  const said = fired.flatMap(({ id, message }) => (message === undefined ? [] : [{ id, message }]))
  return { reason, fired: said }
}
