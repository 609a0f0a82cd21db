import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type IntentView, intentView } from '@jackstay/contract/api'
import { type IntentClaims, reasoningDigest } from '@jackstay/contract/intent'
import { canonical, sha256 } from '@jackstay/contract/json'
import { type PublicKey, publicKey, sign, thumbprintOf } from '@jackstay/contract/signing'
import type { AgentPod } from '@jackstay/lab/agent-pod'
import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import { v7 as uuid7 } from 'uuid'

export interface Key {
  readonly kid: string
  readonly publicKey: PublicKey
  readonly privateKey: CryptoKey
}

export async function newKey(): Promise<Key> {
  const pair = await generateKeyPair('Ed25519', { extractable: true })
  const { crv, kty, x } = await exportJWK(pair.publicKey)
  const jwk = publicKey.parse({ crv, kty, x })
  return { kid: await thumbprintOf(jwk), publicKey: jwk, privateKey: pair.privateKey }
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Status and error code of an answer, in one word for comparing. */
export function code({ status, body }: Answer): string {
  const error = (body as { error?: { code?: string } }).error
  return `${status} ${error?.code ?? 'accepted'}`
}

interface AnyTarget {
  readonly kind: string
  readonly apiVersion?: string
  readonly namespace?: string
  readonly name: string
}

/** An agent as an attacker has it in hand: every part of what it sends can be bent. */
export class TestAgent {
  readonly pod: AgentPod
  readonly key: Key
  readonly clusterUid: string
  readonly urls: { readonly mediator: string; readonly registrar: string }
  #seq = 0

  constructor(pod: AgentPod, key: Key, clusterUid: string, urls: TestAgent['urls']) {
    this.pod = pod
    this.key = key
    this.clusterUid = clusterUid
    this.urls = urls
  }

  token(purpose: 'enrol' | 'intent' | 'tools'): Promise<string> {
    return readFile(join(this.pod.tokens, purpose), 'utf8')
  }

  /** The body of an enrolment; `bend` changes the proof before it is signed. */
  async enrolment(bend: Record<string, unknown> = {}, token?: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const ath = sha256(token ?? (await this.token('enrol')))
    const jwk = this.key.publicKey
    const proof = { v: 1, aud: this.clusterUid, iat: now, exp: now + 30, ath, jwk, ...bend }
    return canonical({ proof: await sign('jackstay-enrol+jws', proof, this.key) })
  }

  async enrol(): Promise<Answer> {
    return await this.post(
      `${this.urls.registrar}/v1/enrolments`,
      await this.enrolment(),
      await this.token('enrol'),
    )
  }

  reasoning(summary = 'the test wants it so') {
    return { summary, evidence: [], salt: randomBytes(16).toString('hex') }
  }

  /** The claims of an intent to scale, `bend` changing any of them. */
  async claims(
    replicas: unknown,
    target: { readonly namespace: string; readonly name: string; readonly uid?: string },
    reasoning: ReturnType<TestAgent['reasoning']>,
    bend: Record<string, unknown> = {},
  ): Promise<IntentClaims> {
    const now = Math.floor(Date.now() / 1000)
    return {
      v: 1,
      jti: uuid7(),
      seq: ++this.#seq,
      iss: `${this.pod.namespace}/${this.pod.serviceAccount}`,
      sub: this.pod.uid,
      aud: this.clusterUid,
      iat: now,
      exp: now + 60,
      ath: sha256(await this.token('intent')),
      action: 'workload.scale',
      target: { apiVersion: 'apps/v1', kind: 'Deployment', ...target },
      params: { replicas },
      reasoning: { digest: reasoningDigest(reasoning) },
      ...bend,
    } as IntentClaims
  }

  /** A complete body of `POST /v1/intents`. */
  async submission(
    replicas: unknown,
    target: { readonly namespace: string; readonly name: string; readonly uid?: string },
    bend: Record<string, unknown> = {},
  ): Promise<string> {
    const reasoning = this.reasoning()
    const claims = await this.claims(replicas, target, reasoning, bend)
    return canonical({ jws: await sign('jackstay-intent+jws', claims, this.key), reasoning })
  }

  async submit(body: string, wait = 0, token?: string): Promise<Answer> {
    const held = token ?? (await this.token('intent'))
    return await this.post(`${this.urls.mediator}/v1/intents?wait=${wait}`, body, held)
  }

  /** Submits an intent to scale and waits until it ended or waits for people. */
  async scale(
    replicas: number,
    target: { readonly namespace: string; readonly name: string; readonly uid?: string },
    bend: Record<string, unknown> = {},
    wait = 30,
  ): Promise<IntentView> {
    const submission = await this.submission(replicas, target, bend)
    const { status, body } = await this.submit(submission, wait)
    if (status !== 202) throw new Error(`refused with ${status}: ${JSON.stringify(body)}`)
    return intentView.parse(body)
  }

  /** Submits an intent of any action, and waits until it ended or waits for people. */
  async ask(
    action: string,
    params: Readonly<Record<string, unknown>>,
    target: AnyTarget,
    wait = 30,
  ): Promise<IntentView> {
    const { name, namespace = '' } = target
    const bend = { action, params, target: { apiVersion: 'apps/v1', ...target } }
    return await this.scale(0, { name, namespace }, bend, wait)
  }

  /** The intent as the mediator tells it, after at most `wait` seconds. */
  async follow(id: string, wait = 30): Promise<IntentView> {
    const url = `${this.urls.mediator}/v1/intents/${id}?wait=${wait}`
    const headers = { authorization: `Bearer ${await this.token('intent')}` }
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout((wait + 20) * 1000) })
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
    return intentView.parse(await answer.json())
  }

  async post(url: string, body: string, token: string): Promise<Answer> {
    const answer = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(60_000),
    })
    return { status: answer.status, body: await answer.json() }
  }
}
