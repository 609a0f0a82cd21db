import { type BreakerScope, breakerScopes } from '@jackstay/contract/api'

/** A person's word that breakers of a class close which opened before a time. */
export interface ResetRequest {
  readonly class: string
  /** Milliseconds. */
  readonly before: number
  readonly only?: { readonly scope: BreakerScope; readonly key: string }
}

/** How far a person's clock may be ahead of ours. */
const skewMs = 5_000

/**
 * Reads the annotation: `TIME`, or `TIME SCOPE KEY`. A time to come would close tomorrow's breakers
 * too, so it counts for nothing until it is there.
 */
export function readReset(
  owner: string,
  text: string | undefined,
  now: number,
): ResetRequest | undefined {
  if (text === undefined) return undefined
  const [time = '', word, ...rest] = text.trim().split(' ')
  const before = /^\d{4}-\d{2}-\d{2}T/.test(time) ? Date.parse(time) : Number.NaN
  if (!(before <= now + skewMs)) return undefined
  if (word === undefined) return { class: owner, before }
  const scope = breakerScopes.find((one) => one === word)
  const key = rest.join(' ')
  return scope === undefined || key === ''
    ? undefined
    : { class: owner, before, only: { scope, key } }
}
