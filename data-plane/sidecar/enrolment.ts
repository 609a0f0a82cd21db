import { setTimeout as sleep } from 'node:timers/promises'
import { clusterInfo } from '@jackstay/contract/api'
import { type EnrolmentProof, enrolmentAnswer } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { agentName } from '@jackstay/contract/intent'
import { canonical, sha256 } from '@jackstay/contract/json'
import { sign } from '@jackstay/contract/signing'
import { uuid } from '@jackstay/contract/text'
import type { z } from 'zod'
import type { Clock } from './intent.ts'
import type { SigningKey } from './key.ts'
import { holderOf, type Tokens } from './tokens.ts'
import { strange, type Upstream } from './upstream.ts'
import type { Volume } from './volume.ts'

const remembered = enrolmentAnswer.extend({ agent: agentName, podUid: uuid, clusterUid: uuid })

/** Who this Pod is to the control plane. */
export type Enrolment = z.infer<typeof remembered>

export interface EnrolmentOptions {
  readonly volume: Volume
  readonly key: SigningKey
  readonly tokens: Tokens
  readonly registrar: Upstream
  /** @throws JackstayError while it cannot be known */
  readonly clusterUid: (signal: AbortSignal) => Promise<string>
  readonly clock: Clock
}

const fileName = 'enrolment.json'
const proofSeconds = 30
const timeoutMs = 15_000

/**
 * What an earlier run of this sidecar enrolled as, if it did: a restart must not enrol again.
 * @throws JackstayError `invalid_config` when the file is damaged or names another key
 */
export async function readEnrolment(
  volume: Volume,
  key: SigningKey,
): Promise<Enrolment | undefined> {
  const text = await volume.read(fileName)
  if (text === undefined) return undefined
  try {
    const found = remembered.parse(JSON.parse(text))
    if (found.kid === key.kid) return found
  } catch (cause) {
    throw damaged(volume, cause)
  }
  throw damaged(volume)
}

function damaged(volume: Volume, cause?: unknown): JackstayError {
  return new JackstayError(
    'invalid_config',
    `\`${volume.path}/${fileName}\` does not fit the key beside it; replace the Pod, so that it starts with an empty volume`,
    { cause },
  )
}

/**
 * Enrols the key once and remembers the answer. Safe to repeat: the registrar answers the same key
 * the same way.
 * @throws JackstayError of the registrar, or `upstream_unavailable`
 */
async function enrolOnce(
  { volume, key, tokens, registrar, clusterUid, clock }: EnrolmentOptions,
  signal: AbortSignal,
): Promise<Enrolment> {
  const aud = await clusterUid(signal)
  const token = await tokens.read('enrol')
  const { agent, podUid } = holderOf(token)
  const iat = Math.floor(clock.now() / 1000)
  const proof: EnrolmentProof = {
    v: 1,
    aud,
    iat,
    exp: iat + proofSeconds,
    ath: sha256(token),
    jwk: key.publicKey,
  }
  const answer = await registrar.call({
    method: 'POST',
    path: '/v1/enrolments',
    token,
    body: canonical({ proof: await sign('jackstay-enrol+jws', proof, key) }),
    timeoutMs,
    signal,
  })
  const said = enrolmentAnswer.safeParse(answer.body)
  if (!said.success || said.data.kid !== key.kid || said.data.agent !== agent) {
    throw strange('registrar', 'another key or agent was enrolled', said.error)
  }
  const enrolment = remembered.parse({ ...said.data, podUid, clusterUid: aud })
  await volume.replace(fileName, canonical(enrolment))
  return enrolment
}

/** The cluster's uid as the mediator knows it. A wrong one only makes a proof nobody accepts. */
export async function askClusterUid(
  mediator: Upstream,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<string> {
  const token = await tokens.read('intent')
  const call = { method: 'GET', path: '/v1/cluster', token, timeoutMs, signal } as const
  const said = clusterInfo.safeParse((await mediator.call(call)).body)
  const uid = uuid.safeParse(said.data?.clusterUid)
  if (uid.success) return uid.data
  throw strange('mediator', 'no cluster uid', said.error)
}

/** Enrols in the background and says how far it got. */
export interface Enroller {
  /** @throws JackstayError `not_ready`, or why it will never be enrolled */
  current(): Enrolment
  /** Why not enrolled yet; undefined once it is. */
  problem(): string | undefined
  /** Whether the mediator may not have heard of the key yet. */
  settling(): boolean
  /** Ends when enrolled, refused for good, or stopped. */
  run(signal: AbortSignal): Promise<void>
}

export interface EnrollerOptions extends EnrolmentOptions {
  /** From {@link readEnrolment}. */
  readonly remembered: Enrolment | undefined
  readonly onEvent: (event: 'enrolled' | 'delayed' | 'refused', detail: object) => void
  /** Milliseconds before the second attempt; doubled each time up to 30 s. */
  readonly firstDelayMs?: number
}

const settlingMs = 15_000

export function enroller(options: EnrollerOptions): Enroller {
  const { clock, onEvent, firstDelayMs = 500 } = options
  let enrolment = options.remembered
  let enrolledAt = Number.NEGATIVE_INFINITY
  let problem: JackstayError | undefined
  let final = false

  const attempt = async (signal: AbortSignal): Promise<void> => {
    try {
      enrolment = await enrolOnce(options, signal)
      enrolledAt = clock.now()
      onEvent('enrolled', { ...enrolment })
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof JackstayError)) throw error
      problem = error
      // another try could only revoke again
      final = error.code === 'second_enrolment' || error.code === 'key_revoked'
      onEvent(final ? 'refused' : 'delayed', { code: error.code, why: error.message })
    }
  }
  return {
    current() {
      if (enrolment) return enrolment
      if (final && problem) throw new JackstayError(problem.code, problem.message)
      const why = problem ? `: ${problem.message}` : ''
      throw new JackstayError('not_ready', `not enrolled yet, try again in a moment${why}`)
    },
    problem() {
      if (enrolment) return undefined
      return problem ? `not enrolled: ${problem.message}` : 'not enrolled yet'
    },
    settling: () => clock.now() - enrolledAt < settlingMs,
    async run(signal) {
      for (let delay = firstDelayMs; !signal.aborted; delay = Math.min(delay * 2, 30_000)) {
        if (!enrolment) await attempt(signal)
        if (enrolment || final) return
        await sleep(delay, undefined, { signal }).catch(() => {}) // stopping wakes it
      }
    },
  }
}
