import { JackstayError } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import { assertTtl } from './bounds.ts'
import { encodeLeaf } from './leaf.ts'
import { type SealedRow, seal } from './sealed.ts'
import type { AppendRequest, IntentSummary, NewEvent, NewLeaf, Replay } from './store.ts'

/** A leaf on its way in; encoded before the transaction, so that a bad one never opens it. */
export interface PendingLeaf {
  readonly intent: string | null
  readonly seq: number | null
  readonly bytes: Uint8Array
  readonly sealed: readonly SealedRow[]
  /** Where given, these leaves are written once, however often they are asked for. */
  readonly token?: string
}

/** Seals what is to be sealed and encodes the rest. */
export function pendingLeaf(
  { kind, data, sealed }: NewLeaf,
  of?: { readonly intent: string; readonly seq: number },
  token?: string,
): PendingLeaf {
  const { commitments, rows } = seal(sealed ?? {})
  const leaf = { kind, ...of, data, ...(rows.length > 0 && { sealed: commitments }) }
  return {
    intent: of?.intent ?? null,
    seq: of?.seq ?? null,
    bytes: encodeLeaf(leaf),
    sealed: rows,
    ...(token !== undefined && { token }),
  }
}

/** Bytes of one event: a plan with its pre-images and inverses fits many times over. */
const eventLimit = 1024 * 1024

/** An append whose texts are made and measured before a transaction waits for them. */
export interface PreparedAppend {
  /** Without what is in `data` and `leaves`. */
  readonly request: Omit<AppendRequest, 'events' | 'leaves'>
  readonly events: readonly Pick<NewEvent, 'type' | 'at'>[]
  readonly seq: number
  readonly data: readonly string[]
  readonly leaves: readonly PendingLeaf[]
  readonly firstAt: string
  readonly lastAt: string
  /** Undo, outcome and suspension: what still has room when everything else is refused. */
  readonly reserved: boolean
}

/** @throws JackstayError `invalid_request`, `too_large`, `not_canonical` */
export function prepareAppend(request: AppendRequest): PreparedAppend {
  const { events, leaves, ...rest } = request
  const { intentId, expectedSeq } = rest
  const first = events.at(0)
  const last = events.at(-1)
  if (first === undefined || last === undefined) {
    throw new JackstayError('invalid_request', 'an append needs at least one event')
  }
  if (intentId === '' || !Number.isSafeInteger(expectedSeq) || expectedSeq < 0) {
    throw new JackstayError('invalid_request', 'an append needs an intent id and a sequence number')
  }
  if (rest.claim !== undefined) assertTtl(rest.claim.ttlMs)
  const seq = expectedSeq + events.length
  return {
    request: rest,
    events: events.map(({ type, at }) => ({ type, at })),
    seq,
    data: events.map(({ type, data, text }) => eventText(type, text?.of(data) ?? canonical(data))),
    leaves: leaves.map((leaf) => pendingLeaf(leaf, { intent: intentId, seq })),
    firstAt: first.at,
    lastAt: last.at,
    reserved: isReserved(leaves, request.phase),
  }
}

function eventText(type: string, data: string): string {
  if (Buffer.byteLength(data) <= eventLimit) return data
  throw new JackstayError('too_large', `the event \`${type}\` exceeds ${eventLimit} bytes`)
}

/**
 * Whether the history still stands where the caller left it.
 * @throws JackstayError `intent_conflict`
 */
export function assertNext(
  { intentId, expectedSeq }: PreparedAppend['request'],
  stored: Pick<IntentSummary, 'seq' | 'phase' | 'terminal'> | undefined,
): void {
  const seq = stored?.seq ?? 0
  if (seq !== expectedSeq) {
    throw new JackstayError(
      'intent_conflict',
      `\`${intentId}\` has ${seq} events, not ${expectedSeq}: read them again and go on from there`,
    )
  }
  if (stored?.terminal === true) {
    throw new JackstayError(
      'intent_conflict',
      `\`${intentId}\` has ended as ${stored.phase}: submit a new intent instead`,
    )
  }
}

/** Whether the write may use the room kept for undo, outcomes and suspensions. */
export function isReserved(leaves: readonly NewLeaf[], phase?: string): boolean {
  return phase === 'undo' || leaves.some(({ kind }) => kind === 'outcome' || kind === 'suspension')
}

export function replayOf(known: IntentSummary | undefined, kid: string, jwsDigest: string): Replay {
  if (known === undefined) return { kind: 'new' }
  if (known.kid !== kid) return { kind: 'other_key' }
  return known.jwsDigest === jwsDigest
    ? { kind: 'same', intentId: known.id }
    : { kind: 'other_bytes' }
}

/** @throws JackstayError `intent_conflict` unless the claim is held with this fence at `now`. */
export function assertFence(
  intentId: string,
  fence: number,
  now: number,
  held: { readonly fence: number; readonly expires: number } | undefined,
): void {
  if (held?.fence === fence && held.expires > now) return
  throw new JackstayError(
    'intent_conflict',
    `the claim on \`${intentId}\` with fence ${fence} has expired or passed on: stop, claim it again and read its events`,
  )
}
