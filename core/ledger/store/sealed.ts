import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { JackstayError } from '@jackstay/contract/errors'
import { canonical, type Digest, type Json, sha256 } from '@jackstay/contract/json'
import { erasedIn } from './erasure.ts'
import { type Commitments, decodeLeaf, type Leaf } from './leaf.ts'

/**
 * Values that a leaf commits to without holding them. The leaf carries `sha256:…` over
 * `{"salt":…,"value":…}` in canonical form; salt and value lie beside the log, so that both can be
 * erased while the leaf, and every proof of it, stays what it was.
 */

/** Bytes of one value: as much as an event may have. */
const valueLimit = 1024 * 1024
const namePattern = /^[a-z][a-zA-Z0-9]{0,31}$/

/** What a commitment stands for. Whoever has both can check it against the leaf. */
export interface SealedValue {
  /** 128 random bits, hex: without it a short value could be guessed from its digest. */
  readonly salt: string
  readonly value: Json
}

/** A sealed value as a database keeps it. */
export interface SealedRow {
  readonly name: string
  /** Null once erased. */
  readonly salt: string | null
  /** Canonical JSON; null once erased. */
  readonly value: string | null
  /** The redaction leaf that says why it was erased. */
  readonly redactedBy: number | null
}

/** A leaf with its place, its exact bytes, which are what the log hashes, and what it commits to. */
export interface StoredLeaf extends Leaf {
  readonly index: number
  readonly bytes: Uint8Array
  /** What the commitments stand for, as far as it still stands; checked against them. */
  readonly values: { readonly [name: string]: SealedValue }
  /** For each erased value the redaction leaf that says why. */
  readonly redacted: { readonly [name: string]: number }
}

/** Takes values into custody: commitments for the leaf, rows for the database. */
export function seal(values: { readonly [name: string]: Json }): {
  readonly commitments: Commitments
  readonly rows: readonly SealedRow[]
} {
  const rows: SealedRow[] = []
  const commitments: { [name: string]: Digest } = {}
  const named = Object.entries(values)
  const salts = randomBytes(16 * named.length).toString('hex')
  for (const [i, [name, value]] of named.entries()) {
    if (!namePattern.test(name)) {
      throw new JackstayError('invalid_request', `\`${name}\` cannot name a sealed value`)
    }
    const text = canonical(value)
    if (Buffer.byteLength(text) > valueLimit) {
      throw new JackstayError(
        'too_large',
        `the sealed value \`${name}\` exceeds ${valueLimit} bytes`,
      )
    }
    const salt = salts.slice(32 * i, 32 * (i + 1))
    commitments[name] = commitmentOf(salt, text)
    rows.push({ name, salt, value: text, redactedBy: null })
  }
  return { commitments, rows }
}

function commitmentOf(salt: string, text: string): Digest {
  return sha256(`{"salt":${canonical(salt)},"value":${text}}`)
}

/** Whether a value handed over with its salt is the one a leaf committed to. */
export function opens(commitment: Digest, { salt, value }: SealedValue): boolean {
  return commitmentOf(salt, canonical(value)) === commitment
}

/**
 * Puts a leaf together from what a database has.
 * @throws JackstayError `ledger_damaged` when a value is not the one committed to, or is gone
 * without a redaction
 */
export function storedLeaf(
  index: number,
  bytes: Uint8Array,
  rows: readonly SealedRow[],
): StoredLeaf {
  const leaf = decodeLeaf(bytes)
  const values: { [name: string]: SealedValue } = {}
  const redacted: { [name: string]: number } = {}
  for (const [name, commitment] of Object.entries(leaf.sealed ?? {})) {
    const row = rows.find((candidate) => candidate.name === name)
    if (row?.redactedBy !== undefined && row.redactedBy !== null) {
      redacted[name] = row.redactedBy
      continue
    }
    const { salt, value } = row ?? { salt: null, value: null }
    if (salt === null || value === null) throw damaged(index, name, 'is gone without a redaction')
    if (commitmentOf(salt, value) !== commitment) throw damaged(index, name, 'was changed')
    values[name] = { salt, value: JSON.parse(value) }
  }
  return { index, bytes, ...leaf, values, redacted }
}

/**
 * Demands that the log itself says what the database says was erased: by its mark alone whoever has
 * the files could take a value away in silence.
 * @throws JackstayError `ledger_damaged`
 */
export async function withRedactions(
  leaf: StoredLeaf,
  bytesAt: (index: number) => Promise<Uint8Array | undefined>,
): Promise<StoredLeaf> {
  const { index, sealed = {}, redacted } = leaf
  for (const [name, by] of Object.entries(redacted)) {
    const erased = { leaf: index, name, commitment: sealed[name] }
    if (!(await isSaid(erased, by, bytesAt))) {
      throw damaged(index, name, `is gone, and leaf ${by} does not say so`)
    }
  }
  return leaf
}

async function isSaid(
  erased: { readonly leaf: number; readonly name: string; readonly commitment: unknown },
  by: number,
  bytesAt: (index: number) => Promise<Uint8Array | undefined>,
): Promise<boolean> {
  // what is too much for one redaction leaf goes on in those behind it
  for (let at = by; ; at++) {
    const bytes = await bytesAt(at)
    const values = bytes && erasedIn(decodeLeaf(bytes))
    if (values === undefined) return false
    if (values.some((value) => isDeepStrictEqual(value, erased))) return true
  }
}

function damaged(index: number, name: string, what: string): JackstayError {
  return new JackstayError(
    'ledger_damaged',
    `the value \`${name}\` of leaf ${index} ${what}: keep a copy of the data directory and restore a backup beside it`,
  )
}
