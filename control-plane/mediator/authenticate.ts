import { JackstayError } from '@jackstay/contract/errors'
import type { EventData } from '@jackstay/contract/history'
import {
  clockSkew,
  type IntentClaims,
  type IntentSubmission,
  intentClaims,
  intentLifetime,
  reasoningDigest,
} from '@jackstay/contract/intent'
import { canonical, sha256 } from '@jackstay/contract/json'
import { readUnverified, verifySignature } from '@jackstay/contract/signing'
import { type Caller, podIsLive, requirePod } from '@jackstay/service/caller'
import type { Sender } from './breakers/breakers.ts'
import type { Clock, ClusterView, KeyView, Ports } from './ports.ts'

/** Bytes of the parameters in canonical form: no action needs more, and they stand in the log. */
const paramsLimit = 4096

/** The part of the caches that says who an agent is. */
type Known = Pick<ClusterView, 'synced' | 'key' | 'pod'>

export interface AuthenticatePorts {
  readonly clock: Clock
  readonly clusterUid: string
  readonly cluster: Known
  readonly triggers: Pick<Ports['triggers'], 'get'>
  /**
   * Milliseconds since the epoch: the log that knew earlier intents is gone, and with it what was
   * done already. 0 for a log that never followed another.
   */
  readonly intentsFrom: number
  /** The form is wrong, and key, signature, token and Pod say whose it is. */
  readonly onMalformed: (sender: Sender) => void
  /** TokenReview with the audience for intents. */
  identify(token: string): Promise<Caller>
}

/**
 * From hostile bytes to an agent's intent: form, freshness, enrolled key, signature, Pod-bound
 * token, liveness, in the order of what they cost. The token itself is never kept.
 * @throws JackstayError with the code of the first check that fails; nothing is recorded then
 */
export async function authenticate(
  { jws, reasoning }: IntentSubmission,
  token: string,
  ports: AuthenticatePorts,
): Promise<EventData<'authenticated'>> {
  if (!ports.cluster.synced()) {
    throw new JackstayError(
      'not_ready',
      'the control plane is not in step with the cluster; try again',
    )
  }
  const { kid, payload } = readUnverified(jws, 'jackstay-intent+jws')
  const parsed = intentClaims.safeParse(payload)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = issue?.path.join('.') || 'payload'
    const sender = await senderOf(jws, kid, token, ports)
    if (sender !== undefined) ports.onMalformed(sender)
    throw new JackstayError('invalid_request', `\`${path}\`: ${issue?.message ?? 'invalid'}`)
  }
  const claims = parsed.data
  if (canonical(claims.params).length > paramsLimit) {
    throw new JackstayError('too_large', `the parameters exceed ${paramsLimit} bytes; send less`)
  }
  assertMeantForUs(claims, ports)
  if (reasoningDigest(reasoning) !== claims.reasoning.digest) {
    throw new JackstayError('invalid_signature', 'the reasoning is not the one that was signed')
  }
  const key = assertKey(ports.cluster.key(kid), claims)
  await verifySignature(jws, key.publicKey)
  if (sha256(token) !== claims.ath) {
    throw new JackstayError('invalid_signature', 'the intent was signed for another token')
  }
  await assertPod(await ports.identify(token), key, ports.cluster)
  const trigger = claims.trigger && (await ports.triggers.get(claims.trigger.id))
  if (claims.trigger && trigger === undefined) {
    ports.onMalformed({ agent: key.agent, class: key.class })
    throw new JackstayError('invalid_request', `there is no trigger \`${claims.trigger.id}\``)
  }
  const { agent: name, class: className, podName, podUid } = key
  return {
    agent: { name, class: className, podName, podUid, kid },
    claims,
    jws,
    jwsDigest: sha256(jws),
    reasoning,
    ...(trigger && { trigger }),
  }
}

/**
 * Whose request it is although its claims do not read: counted against that agent only when key,
 * signature and Pod are its own, so nobody counts against another.
 */
async function senderOf(
  jws: string,
  kid: string,
  token: string,
  ports: AuthenticatePorts,
): Promise<Sender | undefined> {
  const key = ports.cluster.key(kid)
  if (key === undefined || key.revoked) return undefined
  try {
    await verifySignature(jws, key.publicKey)
    await assertPod(await ports.identify(token), key, ports.cluster)
  } catch (error) {
    // the request is refused for its form all the same
    if (error instanceof JackstayError) return undefined
    throw error
  }
  return { agent: key.agent, class: key.class }
}

function assertMeantForUs(
  claims: IntentClaims,
  { clock, clusterUid, intentsFrom }: AuthenticatePorts,
): void {
  if (claims.aud !== clusterUid) {
    throw new JackstayError(
      'wrong_audience',
      `the intent is for cluster \`${claims.aud}\`, not this one`,
    )
  }
  const now = Math.floor(clock.now() / 1000)
  if (claims.exp <= claims.iat || claims.exp - claims.iat > intentLifetime) {
    throw new JackstayError(
      'not_fresh',
      `an intent lives at most ${intentLifetime} seconds; sign again`,
    )
  }
  if (claims.iat > now + clockSkew || claims.exp < now - clockSkew) {
    throw new JackstayError(
      'not_fresh',
      'the intent is expired or from the future; check the clock and sign again',
    )
  }
  // an agent whose clock runs ahead may have been served by the log before this one
  if ((claims.iat - clockSkew) * 1000 < intentsFrom) {
    throw new JackstayError('not_fresh', 'the intent is older than the log; sign again')
  }
}

function assertKey(key: KeyView | undefined, claims: IntentClaims): KeyView {
  if (key === undefined) {
    throw new JackstayError('unknown_key', 'no enrolled key has this thumbprint; enrol first')
  }
  if (key.revoked) throw new JackstayError('key_revoked', 'the key was revoked')
  if (key.agent !== claims.iss || key.podUid !== claims.sub) {
    throw new JackstayError('invalid_signature', 'the key belongs to another agent or Pod')
  }
  return key
}

/** Token and key must be one Pod's, and that Pod alive by our own watch (TokenReview lags). */
async function assertPod(caller: Caller, key: KeyView, cluster: Known): Promise<void> {
  const { namespace, name, pod } = requirePod(caller)
  if (`${namespace}/${name}` !== key.agent || pod.uid !== key.podUid || pod.name !== key.podName) {
    throw new JackstayError(
      'unauthenticated',
      'the token belongs to another agent or Pod than the key',
    )
  }
  if (!podIsLive(cluster.pod(namespace, pod.name), pod.uid)) {
    throw new JackstayError('pod_not_live', `the Pod \`${pod.name}\` is gone, ending or replaced`)
  }
}
