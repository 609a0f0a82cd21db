import { enrolmentProof } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { clockSkew, intentLifetime } from '@jackstay/contract/intent'
import { sha256 } from '@jackstay/contract/json'
import {
  type PublicKey,
  readUnverified,
  thumbprintOf,
  verifySignature,
} from '@jackstay/contract/signing'

/** What a proof must be made for. */
export interface ProofContext {
  readonly clusterUid: string
  /** The bearer token that came with the proof. */
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A public key whose private half the caller holds. */
export interface ProvenKey {
  readonly thumbprint: string
  readonly publicKey: PublicKey
}

/**
 * Checks that whoever sent the proof holds the private key, made the proof for this cluster, now,
 * and together with this very token. Asks nobody.
 * @throws JackstayError `invalid_signature`, `invalid_request`, `wrong_audience`, `not_fresh`,
 *   `unauthenticated`, and what {@link readUnverified} throws
 */
export async function checkProof(jws: string, context: ProofContext): Promise<ProvenKey> {
  const { kid, payload } = readUnverified(jws, 'jackstay-enrol+jws')
  const parsed = enrolmentProof.safeParse(payload)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = issue?.path.map(String).join('.') || 'proof'
    throw new JackstayError(
      'invalid_request',
      `the proof's \`${field}\` is wrong: send exactly v, aud, iat, exp, ath and jwk`,
      { cause: parsed.error },
    )
  }
  const { aud, iat, exp, ath, jwk } = parsed.data
  if ((await thumbprintOf(jwk)) !== kid) {
    throw new JackstayError(
      'invalid_signature',
      'the `kid` is not the thumbprint of the `jwk`; use RFC 7638 with SHA-256',
    )
  }
  await verifySignature(jws, jwk)
  if (aud !== context.clusterUid) {
    throw new JackstayError(
      'wrong_audience',
      `the proof is for cluster \`${aud}\`; sign one for the uid of this cluster's kube-system`,
    )
  }
  assertFresh(iat, exp, context.now)
  if (ath !== sha256(context.token)) {
    throw new JackstayError(
      'unauthenticated',
      'the proof is bound to another token; sign `ath` over the token you send',
    )
  }
  return { thumbprint: kid, publicKey: jwk }
}

function assertFresh(iat: number, exp: number, now: number): void {
  const seconds = now / 1000
  if (!(exp > iat && exp - iat <= intentLifetime)) {
    throw new JackstayError('not_fresh', `a proof lives 1 to ${intentLifetime} seconds`)
  }
  if (!(iat <= seconds + clockSkew)) {
    throw new JackstayError('not_fresh', 'the proof is issued in the future; check the clock')
  }
  if (!(seconds <= exp + clockSkew)) {
    throw new JackstayError('not_fresh', 'the proof has expired; sign a new one')
  }
}
