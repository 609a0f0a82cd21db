import { JackstayError } from '@jackstay/contract/errors'
import { canonical, type Json } from '@jackstay/contract/json'

export const leafKinds = ['decision', 'approval', 'dispatch', 'outcome', 'suspension'] as const
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
}

/**
 * The bytes the log hashes: `{"data":…,"intent":…,"kind":…,"seq":…,"v":1}` in canonical form.
 * @throws JackstayError `too_large`, `not_canonical`
 */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  const bytes = Buffer.from(canonical({ v: 1, ...leaf }))
  if (bytes.length > leafLimit) {
    throw new JackstayError(
      'too_large',
      `the ${leaf.kind} leaf has ${bytes.length} bytes and may have ${leafLimit}: keep the body beside the log and name its digest in the leaf`,
    )
  }
  return bytes
}

/** @throws JackstayError `ledger_damaged` for bytes that no version of ours wrote. */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  const value = parse(bytes)
  const { v, kind, intent, seq, data } = value
  const known = leafKinds.find((name) => name === kind)
  if (v !== 1 || known === undefined || data === undefined) throw damaged()
  if (intent !== undefined && typeof intent !== 'string') throw damaged()
  if (seq !== undefined && typeof seq !== 'number') throw damaged()
  return {
    kind: known,
    ...(intent === undefined ? {} : { intent }),
    ...(seq === undefined ? {} : { seq }),
    data,
  }
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
    'a leaf of the log is not of a form this version writes; run `jackstay verify` and keep a copy',
    { cause },
  )
}
