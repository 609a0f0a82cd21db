import { JackstayError } from '@jackstay/contract/errors'
import { canonical, type Digest, type Json } from '@jackstay/contract/json'

const leafKinds = [
  'decision',
  'approval',
  'dispatch',
  'outcome',
  'suspension',
  'redaction',
  'hold',
  'prune',
  'rotation',
  'recovery',
] as const
export type LeafKind = (typeof leafKinds)[number]

/** Bytes of one leaf; larger bodies stand beside the log, the leaf names their digest. */
export const leafLimit = 16 * 1024

/** What one entry of the log says. */
export interface Leaf {
  readonly kind: LeafKind
  /** Absent where the leaf belongs to no intent. */
  readonly intent?: string
  /** The event of the intent that the leaf was written with. */
  readonly seq?: number
  readonly data: Json
  /** Commitments to values that stand beside the log and can be erased, by name. */
  readonly sealed?: Commitments
}

export type Commitments = { readonly [name: string]: Digest }

/**
 * The bytes the log hashes: `{"data":…,"intent":…,"kind":…,"sealed":…,"seq":…,"v":2}` in canonical
 * form. Version 1 had no `sealed`.
 * @throws JackstayError `too_large`, `not_canonical`
 */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  const { data, intent, kind, sealed, seq } = leaf
  // put together in the order of its keys, so that `data` is gone through once
  const fields = [
    `"data":${canonical(data)}`,
    ...(intent === undefined ? [] : [`"intent":${canonical(intent)}`]),
    `"kind":"${kind}"`,
    ...(sealed === undefined ? [] : [`"sealed":${canonical(sealed)}`]),
    ...(seq === undefined ? [] : [`"seq":${canonical(seq)}`]),
  ]
  const bytes = Buffer.from(`{${fields.join()},"v":2}`)
  if (bytes.length > leafLimit) {
    throw new JackstayError(
      'too_large',
      `the ${leaf.kind} leaf has ${bytes.length} bytes and may have ${leafLimit}: seal the body, so that the leaf holds its digest alone`,
    )
  }
  return bytes
}

/** @throws JackstayError `ledger_damaged` for bytes that no version of ours wrote. */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  const { v, kind, intent, seq, data, sealed } = parse(bytes)
  const known = leafKinds.find((name) => name === kind)
  if ((v !== 1 && v !== 2) || known === undefined || data === undefined) throw damaged()
  if (intent !== undefined && typeof intent !== 'string') throw damaged()
  if (seq !== undefined && typeof seq !== 'number') throw damaged()
  if (v === 1 && sealed !== undefined) throw damaged()
  return {
    kind: known,
    ...(intent === undefined ? {} : { intent }),
    ...(seq === undefined ? {} : { seq }),
    data,
    ...(sealed === undefined ? {} : { sealed: commitmentsIn(sealed) }),
  }
}

function commitmentsIn(sealed: Json): Commitments {
  if (!isObject(sealed)) throw damaged()
  const pairs = Object.entries(sealed).map(([name, commitment]) => {
    if (!isDigest(commitment)) throw damaged()
    return [name, commitment] as const
  })
  return Object.fromEntries(pairs)
}

function isDigest(value: Json): value is Digest {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value)
}

function parse(bytes: Uint8Array): { readonly [key: string]: Json } {
  let value: Json
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw damaged(cause)
  }
  if (!isObject(value)) throw damaged()
  return value
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function damaged(cause?: unknown): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    'a leaf of the log is not of a form this version writes; run `jackstay ledger verify` and keep a copy',
    { cause },
  )
}
