import {
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'

/**
 * Signed notes (https://c2sp.org/signed-note) with Ed25519, key strings and bytes as in
 * golang.org/x/mod/sumdb/note, so other people's verifiers read ours.
 */

const algorithm = 0x01
const noteLimit = 1_000_000
const signatureLimit = 100

export interface Verifier {
  readonly name: string
  /** Eight hex digits: the start of SHA-256 over name, newline, 0x01 and public key. */
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
  const lines = signers.map(({ name, keyId, sign }) => {
    const blob = Buffer.concat([Buffer.from(keyId, 'hex'), sign(message)])
    return `— ${name} ${blob.toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

/**
 * Opens a note: every signature by a known key must hold, unknown ones are passed over, and at
 * least one known key must have signed.
 */
export function openNote(note: string, verifiers: readonly Verifier[]): OpenedNote {
  const split = note.lastIndexOf('\n\n')
  if (note.length > noteLimit || split < 0 || !isNoteText(note)) {
    return { ok: false, problem: 'not a signed note' }
  }
  const text = note.slice(0, split + 1)
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > signatureLimit) return { ok: false, problem: 'too many signatures' }
  const message = Buffer.from(text)
  const signers = new Set<Verifier>()
  for (const line of lines) {
    const signature = parseSignature(line)
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

/** @throws JackstayError `invalid_config` when the text is no Ed25519 verifier key. */
export function verifierFromVkey(vkey: string): Verifier {
  const [name, id, key] = cut(vkey, 3)
  const publicKey = keyBytes(key)
  if (!isName(name) || publicKey === undefined || keyIdOf(name, publicKey) !== id) {
    throw new JackstayError(
      'invalid_config',
      `\`${vkey.slice(0, 200)}\` is no verifier key: give \`name+hash+base64\` as \`jackstay verify --help\` shows`,
    )
  }
  const handle = publicHandle(publicKey)
  return {
    name,
    keyId: id,
    verify: (message, signature) =>
      signature.length === 64 && verifyBytes(null, message, handle, signature),
  }
}

/** @throws JackstayError `invalid_config`; the message never holds the key. */
export function signerFromSkey(skey: string): Signer {
  const [first, second, name, id, key] = cut(skey, 5)
  const seed = keyBytes(key)
  if (first !== 'PRIVATE' || second !== 'KEY' || !isName(name) || seed === undefined) {
    throw new JackstayError(
      'invalid_config',
      'the signing key is malformed: it must be `PRIVATE+KEY+name+hash+base64`',
    )
  }
  const handle = privateHandle(seed)
  const publicKey = publicKeyOf(handle)
  if (keyIdOf(name, publicKey) !== id) {
    throw new JackstayError(
      'invalid_config',
      'the signing key does not match its own hash: it was cut or edited; restore the file',
    )
  }
  return { name, keyId: id, publicKey, sign: (message) => signBytes(null, message, handle) }
}

export function formatVkey(name: string, publicKey: Uint8Array): string {
  return `${checkedName(name)}+${keyIdOf(name, publicKey)}+${keyText(publicKey)}`
}

export function formatSkey(name: string, seed: Uint8Array): string {
  const publicKey = publicKeyOf(privateHandle(seed))
  return `PRIVATE+KEY+${checkedName(name)}+${keyIdOf(name, publicKey)}+${keyText(seed)}`
}

function keyIdOf(name: string, publicKey: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(algorithm), publicKey])
  return hash('sha256', input, 'hex').slice(0, 8)
}

function keyText(key: Uint8Array): string {
  return Buffer.concat([Buffer.of(algorithm), key]).toString('base64')
}

function keyBytes(text: string): Uint8Array | undefined {
  const bytes = strictBase64(text)
  if (bytes === undefined || bytes.length !== 33 || bytes[0] !== algorithm) return undefined
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
function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

function parseSignature(
  line: string,
): { readonly name: string; readonly keyId: string; readonly bytes: Buffer } | undefined {
  const [dash, name, blob, ...rest] = line.split(' ')
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

// DER heads of RFC 8410, so that raw keys need no JWK detour.
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

function privateHandle(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' })
}

function publicHandle(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiHead, publicKey]), format: 'der', type: 'spki' })
}

function publicKeyOf(handle: KeyObject): Uint8Array {
  const der = createPublicKey(handle).export({ format: 'der', type: 'spki' })
  return der.subarray(spkiHead.length)
}
