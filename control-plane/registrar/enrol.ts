import { audiences, type EnrolmentAnswer } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import type { AgentKeySpec } from '@jackstay/contract/kinds/agent-key'
import { type Caller, type PodCaller, podIsLive, requirePod } from '@jackstay/service/caller'
import { checkProof } from './proof.ts'

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number
}

/** A Pod as the API server has it at this moment. */
export interface PodView {
  readonly uid: string
  readonly phase: string
  readonly serviceAccount: string
  readonly deletionTimestamp?: string
}

/** An AgentKey that is stored. */
export interface StoredKey {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly spec: AgentKeySpec
  readonly revoked: boolean
}

/** Where keys are kept. Nothing but {@link enrol} writes them. */
export interface KeyStore {
  /**
   * Stores a key under a name that may not exist yet.
   * `unknown`: sent, but whether it was stored only a read can tell.
   */
  create(key: NewKey, signal: AbortSignal): Promise<'created' | 'exists' | 'unknown'>
  /** A consistent read. */
  read(namespace: string, name: string, signal: AbortSignal): Promise<StoredKey | undefined>
  /**
   * Safe to repeat. Takes no signal: a caller who hangs up must not keep a key alive.
   * Resolves with why it is not certain that the key is revoked now, or with nothing if it is.
   */
  revoke(key: StoredKey, revocation: Revocation): Promise<string | undefined>
}

export interface NewKey {
  readonly namespace: string
  readonly name: string
  readonly spec: AgentKeySpec
}

export interface Revocation {
  readonly reason: string
  /** RFC 3339. */
  readonly revokedAt: string
}

/** Two keys claimed one Pod (T08): somebody has to look. */
export interface SecondEnrolment {
  readonly agent: string
  readonly podName: string
  readonly podUid: string
  readonly stored: string
  readonly offered: string
  /** Whether the stored key is certainly revoked. */
  readonly revoked: boolean
  /** Why it is not. */
  readonly why?: string
}

export interface Ports {
  readonly clock: Clock
  /** @throws JackstayError `not_ready` while it is not known */
  clusterUid(): string
  readonly tokens: {
    identify(token: string, audience: string, signal: AbortSignal): Promise<Caller>
  }
  /** A consistent read. */
  pod(namespace: string, name: string, signal: AbortSignal): Promise<PodView | undefined>
  /** Names of the AgentClasses that own a namespace, by a consistent read. */
  classesOf(namespace: string, signal: AbortSignal): Promise<readonly string[]>
  readonly keys: KeyStore
  alarm(second: SecondEnrolment): void
}

export interface EnrolmentAttempt {
  /** The compact JWS. */
  readonly proof: string
  readonly token: string
}

const revokeAttempts = 3

/**
 * Turns a proof of possession and a Pod-bound token into one AgentKey. The first key of a Pod wins,
 * the same key again gets the same answer, another key revokes the first and is never stored.
 * @throws JackstayError with the code of the first check that fails
 */
export async function enrol(
  { proof, token }: EnrolmentAttempt,
  ports: Ports,
  signal: AbortSignal,
): Promise<EnrolmentAnswer> {
  const key = await checkProof(proof, {
    clusterUid: ports.clusterUid(),
    token,
    now: ports.clock.now(),
  })
  const caller = requirePod(await ports.tokens.identify(token, audiences.enrol, signal))
  await assertPodLive(caller, ports, signal)
  const spec: AgentKeySpec = {
    agent: `${caller.namespace}/${caller.name}`,
    class: await classOf(caller.namespace, ports, signal),
    podName: caller.pod.name,
    podUid: caller.pod.uid,
    ...key,
  }
  const fresh = { namespace: caller.namespace, name: `pod-${caller.pod.uid}`, spec }
  const created = await ports.keys.create(fresh, signal)
  if (created === 'created') return answer(fresh)
  const stored = await ports.keys.read(fresh.namespace, fresh.name, signal)
  if (stored === undefined) {
    throw new JackstayError(
      'upstream_unavailable',
      `the AgentKey \`${fresh.namespace}/${fresh.name}\` is not there; enrol again`,
    )
  }
  return await judgeStored(stored, fresh, ports)
}

async function assertPodLive(
  { namespace, name, pod }: PodCaller,
  ports: Ports,
  signal: AbortSignal,
): Promise<void> {
  const found = await ports.pod(namespace, pod.name, signal)
  // INVARIANT (T07): the API server still vouches for a token up to 72 s after its Pod ended
  if (!found || !podIsLive(found, pod.uid)) {
    throw new JackstayError(
      'pod_not_live',
      `the Pod \`${namespace}/${pod.name}\` of this token is gone, ending or replaced`,
    )
  }
  if (found.serviceAccount !== name) {
    throw new JackstayError(
      'unauthenticated',
      `the Pod \`${namespace}/${pod.name}\` runs as another ServiceAccount than \`${name}\``,
    )
  }
}

async function classOf(namespace: string, ports: Ports, signal: AbortSignal): Promise<string> {
  const classes = await ports.classesOf(namespace, signal)
  const [only] = classes
  if (only === undefined) {
    throw new JackstayError(
      'forbidden',
      `no AgentClass has \`spec.namespace: ${namespace}\`; create one, or run the agent in its class's namespace`,
    )
  }
  if (classes.length > 1) {
    const names = [...classes].sort().map((name) => `\`${name}\``)
    throw new JackstayError(
      'forbidden',
      `the AgentClasses ${names.slice(0, 5).join(', ')} all claim the namespace \`${namespace}\`; keep one`,
    )
  }
  return only
}

async function judgeStored(
  stored: StoredKey,
  fresh: NewKey,
  ports: Ports,
): Promise<EnrolmentAnswer> {
  if (stored.spec.thumbprint === fresh.spec.thumbprint) {
    if (!stored.revoked) return answer(stored)
    throw new JackstayError('key_revoked', 'this key was revoked; replace the Pod')
  }
  const why = stored.revoked ? undefined : await revoke(stored, ports)
  const { agent, podName, podUid } = stored.spec
  ports.alarm({
    agent,
    podName,
    podUid,
    stored: stored.spec.thumbprint,
    offered: fresh.spec.thumbprint,
    revoked: why === undefined,
    ...(why !== undefined && { why }),
  })
  if (why !== undefined) {
    throw new JackstayError(
      'upstream_unavailable',
      `the Pod \`${podName}\` has another key, which could not be revoked; try again`,
    )
  }
  throw new JackstayError(
    'second_enrolment',
    `the Pod \`${podName}\` had another key; both are revoked: replace the Pod and find out who enrolled twice`,
  )
}

async function revoke(key: StoredKey, ports: Ports): Promise<string | undefined> {
  const revocation = {
    reason: 'a second key was offered for the same Pod',
    revokedAt: new Date(ports.clock.now()).toISOString(),
  }
  let why: string | undefined
  for (let attempt = 0; attempt < revokeAttempts; attempt++) {
    why = await ports.keys.revoke(key, revocation)
    if (why === undefined) return undefined
  }
  return why
}

function answer({ namespace, name, spec }: NewKey): EnrolmentAnswer {
  return {
    agentKey: `${namespace}/${name}`,
    kid: spec.thumbprint,
    agent: spec.agent,
    class: spec.class,
  }
}
