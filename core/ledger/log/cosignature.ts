import { checkingHalf, signingHalf } from './ed25519.ts'
import {
  formatSkey,
  formatVkey,
  parseSignatureLine,
  parseSkey,
  parseVkey,
  signatureLine,
  splitNote,
  type Verifier,
} from './note.ts'

/**
 * Cosignatures of witnesses, `cosignature/v1` with Ed25519 (https://c2sp.org/tlog-cosignature): that
 * at a time this was the largest consistent tree they had seen of a log.
 */

/** Signs checkpoints for others. */
export interface Cosigner {
  readonly name: string
  readonly vkey: string
  /** The signature line over a note's text. `time` is in seconds since the epoch. */
  cosign(text: string, time: number): string
}

/** Checks cosignatures; stands wherever a note is opened. */
export type CosignatureVerifier = Verifier

const timeBytes = 8

/** @throws JackstayError `invalid_config`; the message never holds the key. */
export function cosignerFromSkey(skey: string): Cosigner {
  const { name, keyId, seed } = parseSkey(skey, 'cosignature')
  const { publicKey, sign } = signingHalf(seed)
  return {
    name,
    vkey: formatVkey(name, publicKey, 'cosignature'),
    cosign: (text, time) => {
      const signature = Buffer.concat([Buffer.alloc(timeBytes), sign(signed(text, BigInt(time)))])
      signature.writeBigUInt64BE(BigInt(time))
      return signatureLine({ name, keyId }, signature)
    },
  }
}

/** A cosigner's key, in the form of key files: never usable as the key of a log. */
export function formatCosignerSkey(name: string, seed: Uint8Array): string {
  return formatSkey(name, seed, 'cosignature')
}

/** @throws JackstayError `invalid_config` when the text is no verifier key of a witness. */
export function cosignatureVerifier(vkey: string): CosignatureVerifier {
  const { name, keyId, publicKey } = parseVkey(vkey, 'cosignature')
  const check = checkingHalf(publicKey)
  return {
    name,
    keyId,
    verify: (message, signature) => {
      const time = timeOf(signature)
      if (time === undefined) return false
      const text = Buffer.from(message).toString('utf8')
      return check(signed(text, time), signature.subarray(timeBytes))
    },
  }
}

/**
 * When each of these witnesses signed the note, in seconds since the epoch. Only for notes that
 * `openNote` has verified with them.
 */
export function cosignedAt(
  note: string,
  verifiers: readonly CosignatureVerifier[],
): ReadonlyMap<CosignatureVerifier, number> {
  const times = new Map<CosignatureVerifier, number>()
  for (const line of splitNote(note)?.signatureLines ?? []) {
    const signature = parseSignatureLine(line)
    const known = verifiers.find(
      (one) => one.name === signature?.name && one.keyId === signature.keyId,
    )
    const time = timeOf(signature?.bytes ?? Buffer.of())
    if (known !== undefined && time !== undefined && !times.has(known)) {
      times.set(known, Number(time))
    }
  }
  return times
}

/** The note with further signature lines, one for each key: what stands there already stays. */
export function withSignatures(note: string, lines: readonly string[]): string {
  const present = new Set((splitNote(note)?.signatureLines ?? []).map(keyOf))
  const added = lines.filter((line) => {
    const key = keyOf(line)
    const isNew = !present.has(key)
    present.add(key)
    return isNew
  })
  return `${note}${added.join('')}`
}

function keyOf(line: string): string {
  const signature = parseSignatureLine(line)
  return signature === undefined ? line : `${signature.name} ${signature.keyId}`
}

function signed(text: string, time: bigint): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`)
}

function timeOf(signature: Uint8Array): bigint | undefined {
  if (signature.length !== timeBytes + 64) return undefined
  const time = Buffer.from(signature).readBigUInt64BE()
  return time > 0x7fff_ffff_ffff_ffffn ? undefined : time
}
