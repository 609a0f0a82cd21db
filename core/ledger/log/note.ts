import { hash } from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'
import { checkingHalf, signingHalf } from './ed25519.ts'

/**
 * Signed notes (https://c2sp.org/signed-note) with Ed25519, key strings and bytes as in
 * golang.org/x/mod/sumdb/note, so other people's verifiers read ours.
 */

/** What a key may sign, as the byte that key strings and key ids begin with. */
const keyTypes = {
  /** The text of a note. */
  note: 0x01,
  /** A checkpoint, with the time (https://c2sp.org/tlog-cosignature). */
  cosignature: 0x04,
} as const
export type KeyType = keyof typeof keyTypes

const noteLimit = 1_000_000
const signatureLimit = 100

export interface Verifier {
  readonly name: string
  /** Eight hex digits: the start of SHA-256 over name, newline, type byte and public key. */
  readonly keyId: string
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

export interface Signer {
  readonly name: string
  readonly keyId: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

export type OpenedNote =
  | { readonly ok: true; readonly text: string; readonly signers: readonly Verifier[] }
  | { readonly ok: false; readonly problem: string }

/** Signs `text`, which must end with a newline, once per signer. */
export function signNote(text: string, signers: readonly Signer[]): string {
  if (!isNoteText(text)) {
    throw new JackstayError(
      'invalid_request',
      'a note is well-formed text without control characters that ends with a newline',
    )
  }
  const message = Buffer.from(text)
  const lines = signers.map((signer) => signatureLine(signer, signer.sign(message)))
  return `${text}\n${lines.join('')}`
}

/** One line below a note, with its newline. */
export function signatureLine(
  { name, keyId }: Pick<Signer, 'name' | 'keyId'>,
  signature: Uint8Array,
): string {
  const blob = Buffer.concat([Buffer.from(keyId, 'hex'), signature])
  return `— ${name} ${blob.toString('base64')}\n`
}

/** A note taken apart, with nothing verified: not to be believed before `openNote` said so. */
export interface UnverifiedNote {
  readonly text: string
  /** With their newlines, in order. */
  readonly signatureLines: readonly string[]
}

/** The parts of a note, or undefined when it is none. */
export function splitNote(note: string): UnverifiedNote | undefined {
  const split = note.lastIndexOf('\n\n')
  if (note.length > noteLimit || split < 0 || !isNoteText(note)) return undefined
  const lines = note.slice(split + 2, -1).split('\n')
  return { text: note.slice(0, split + 1), signatureLines: lines.map((line) => `${line}\n`) }
}

/**
 * Opens a note: every signature by a known key must hold, unknown ones are passed over, and at
 * least one known key must have signed.
 */
export function openNote(note: string, verifiers: readonly Verifier[]): OpenedNote {
  const parts = splitNote(note)
  if (parts === undefined) return { ok: false, problem: 'not a signed note' }
  const { text, signatureLines } = parts
  if (signatureLines.length > signatureLimit) return { ok: false, problem: 'too many signatures' }
  const message = Buffer.from(text)
  const signers = new Set<Verifier>()
  for (const line of signatureLines) {
    const signature = parseSignatureLine(line)
    if (signature === undefined) return { ok: false, problem: 'malformed signature line' }
    const { name, keyId, bytes } = signature
    const known = verifiers.find((one) => one.name === name && one.keyId === keyId)
    if (known === undefined || signers.has(known)) continue
    if (!known.verify(message, bytes)) {
      return { ok: false, problem: `the signature of \`${name}\` does not hold` }
    }
    signers.add(known)
  }
  if (signers.size === 0) return { ok: false, problem: 'not signed by a known key' }
  return { ok: true, text, signers: [...signers] }
}

/** @throws JackstayError `invalid_config` when the text is no verifier key of a note signer. */
export function verifierFromVkey(vkey: string): Verifier {
  const { name, keyId, publicKey } = parseVkey(vkey, 'note')
  return { name, keyId, verify: checkingHalf(publicKey) }
}

/** @throws JackstayError `invalid_config`; the message never holds the key. */
export function signerFromSkey(skey: string): Signer {
  const { name, keyId, seed } = parseSkey(skey, 'note')
  const { publicKey, sign } = signingHalf(seed)
  return { name, keyId, publicKey, sign }
}

/**
 * Takes a verifier key apart: `name+hash+base64(type, key)`.
 * @throws JackstayError `invalid_config` for anything but an Ed25519 key of this type
 */
export function parseVkey(
  vkey: string,
  type: KeyType,
): { readonly name: string; readonly keyId: string; readonly publicKey: Uint8Array } {
  const [name, keyId, key] = cut(vkey, 3)
  const publicKey = keyBytes(key, type)
  if (isName(name) && publicKey !== undefined && keyIdOf(name, publicKey, type) === keyId) {
    return { name, keyId, publicKey }
  }
  throw new JackstayError(
    'invalid_config',
    `\`${vkey.slice(0, 200)}\` is no verifier key of a ${type === 'note' ? 'log' : 'witness'}: give \`name+hash+base64\` as its owner published it`,
  )
}

/** @throws JackstayError `invalid_config`; the message never holds the key. */
export function parseSkey(
  skey: string,
  type: KeyType,
): { readonly name: string; readonly keyId: string; readonly seed: Uint8Array } {
  const [first, second, name, keyId, key] = cut(skey, 5)
  const seed = keyBytes(key, type)
  if (first !== 'PRIVATE' || second !== 'KEY' || !isName(name) || seed === undefined) {
    throw new JackstayError(
      'invalid_config',
      'the signing key is malformed: it must be `PRIVATE+KEY+name+hash+base64`',
    )
  }
  if (keyIdOf(name, signingHalf(seed).publicKey, type) !== keyId) {
    throw new JackstayError(
      'invalid_config',
      'the signing key does not match its own hash: it was cut or edited; restore the file',
    )
  }
  return { name, keyId, seed }
}

/** Whether two verifier keys carry the same name: those of one log, before and after a rotation. */
export function isOfLog(one: string, other: string): boolean {
  return one.split('+')[0] === other.split('+')[0]
}

export function formatVkey(name: string, publicKey: Uint8Array, type: KeyType = 'note'): string {
  return `${checkedName(name)}+${keyIdOf(name, publicKey, type)}+${keyText(publicKey, type)}`
}

export function formatSkey(name: string, seed: Uint8Array, type: KeyType = 'note'): string {
  const { publicKey } = signingHalf(seed)
  return `PRIVATE+KEY+${checkedName(name)}+${keyIdOf(name, publicKey, type)}+${keyText(seed, type)}`
}

function keyIdOf(name: string, publicKey: Uint8Array, type: KeyType): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(keyTypes[type]), publicKey])
  return hash('sha256', input, 'hex').slice(0, 8)
}

function keyText(key: Uint8Array, type: KeyType): string {
  return Buffer.concat([Buffer.of(keyTypes[type]), key]).toString('base64')
}

function keyBytes(text: string, type: KeyType): Uint8Array | undefined {
  const bytes = strictBase64(text)
  if (bytes === undefined || bytes.length !== 33 || bytes[0] !== keyTypes[type]) return undefined
  return bytes.subarray(1)
}

/** The first `count - 1` plus signs separate; later ones belong to the base64. */
function cut(text: string, count: 3): [string, string, string]
function cut(text: string, count: 5): [string, string, string, string, string]
function cut(text: string, count: number): string[] {
  const parts = text.split('+')
  const head = Array.from({ length: count - 1 }, (_, i) => parts[i] ?? '')
  return [...head, parts.slice(count - 1).join('+')]
}

/** `Buffer.from` skips what it does not know; a signature must have one spelling only. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Who says to have signed, and the bytes behind the key id; undefined for a malformed line. */
export function parseSignatureLine(
  line: string,
): { readonly name: string; readonly keyId: string; readonly bytes: Buffer } | undefined {
  const [dash, name, blob, ...rest] = line.replace(/\n$/, '').split(' ')
  if (dash !== '—' || name === undefined || blob === undefined || rest.length > 0) return undefined
  const bytes = strictBase64(blob)
  if (!isName(name) || bytes === undefined || bytes.length < 5) return undefined
  return { name, keyId: bytes.toString('hex', 0, 4), bytes: bytes.subarray(4) }
}

function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids exactly these
  return text.isWellFormed() && text.endsWith('\n') && !/[\x00-\x09\x0b-\x1f\x7f]/.test(text)
}

function isName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s+\u0085]/.test(name)
}

function checkedName(name: string): string {
  if (isName(name)) return name
  throw new JackstayError(
    'invalid_config',
    `\`${name}\` cannot name a key: use text without white space and plus signs`,
  )
}
