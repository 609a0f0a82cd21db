import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { IntentView } from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import type { Phase } from '@jackstay/contract/history'
import { canonical } from '@jackstay/contract/json'
import { logger } from '@jackstay/service/log'
import { metrics } from '@jackstay/service/metrics'
import { type Context, Hono } from 'hono'
import { type SidecarParts, sidecarApp } from './app.ts'
import type { Enrolment } from './enrolment.ts'
import type { ActionRequest, Clock, Ids } from './intent.ts'
import { loadKey, type SigningKey } from './key.ts'
import { openReceipts } from './receipts.ts'
import { openSequence } from './sequence.ts'
import type { Tokens, TokenUse } from './tokens.ts'
import { type Upstream, upstream } from './upstream.ts'
import { openVolume } from './volume.ts'

/** Builders for tests: tokens, a volume on disk, and the programs the sidecar talks to. */
export const clusterUid = '11111111-1111-4111-8111-111111111111'
export const podUid = '22222222-2222-4222-8222-222222222222'
export const agent = 'jackstay-class-web/fixer'
export const startedAt = Date.UTC(2026, 0, 5, 12)
export const intentId = '019b8e25-0000-7000-8000-000000000001'

export async function newDirectory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'jackstay-sidecar-'))
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
  return join(path, 'key')
}

/** A Pod-bound token as the API server makes it, as far as the sidecar looks at it. */
export function tokenFor(use: TokenUse, version = 1): string {
  const claims = {
    aud: [`jackstay-${use}`],
    jti: String(version),
    'kubernetes.io': {
      namespace: 'jackstay-class-web',
      serviceaccount: { name: 'fixer', uid: podUid },
      pod: { name: 'fixer-0', uid: podUid },
    },
  }
  const part = (value: unknown) => Buffer.from(canonical(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`
}

export const tokens: Tokens = { read: async (use) => tokenFor(use), held: () => [] }

export function enrolmentOf(key: SigningKey): Enrolment {
  const agentKey = `jackstay-class-web/pod-${podUid}`
  return { agentKey, kid: key.kid, agent, class: 'web', podUid, clusterUid }
}

export function idsFrom(start = 1): Ids {
  let last = start
  return {
    intent: () => `019b8e25-0000-7000-8000-${String(last++).padStart(12, '0')}`,
    salt: () => '0123456789abcdef0123456789abcdef',
  }
}

export interface Ticking extends Clock {
  at: number
}

export function clockAt(at = startedAt): Ticking {
  const clock = { at, now: () => clock.at }
  return clock
}

export function requestFor(changes: Partial<ActionRequest> = {}): ActionRequest {
  return {
    target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    params: { replicas: 3 },
    reasoning: { summary: 'nothing serves the shop', evidence: [] },
    ...changes,
  }
}

export function viewIn(phase: Phase, id = intentId): IntentView {
  const at = new Date(startedAt).toISOString()
  return {
    summary: {
      id,
      agent,
      action: 'workload.scale',
      target: 'Deployment shop/web',
      phase,
      receivedAt: at,
      updatedAt: at,
    },
    events: [],
  }
}

export interface Heard {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly body: string
}

export type Scripted = ((c: Context, heard: Heard) => Response | Promise<Response>)[]

/** A program that keeps what it heard and answers as scripted; the last answer stays. */
export function scripted(
  name: string,
  answers: Scripted,
): { readonly heard: Heard[]; readonly upstream: Upstream } {
  const heard: Heard[] = []
  const app = new Hono()
  app.onError((error) => {
    throw error // a cut connection: `fetch` rejects
  })
  app.all('*', async (c) => {
    const { pathname, search } = new URL(c.req.url)
    const one = {
      method: c.req.method,
      path: pathname + search,
      authorization: c.req.header('authorization') ?? '',
      body: await c.req.text(),
    }
    heard.push(one)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (!answer) throw new TypeError('nothing scripted')
    return await answer(c, one)
  })
  const url = 'http://127.0.0.1:1'
  return { heard, upstream: upstream({ name, url, fetch: async (u, i) => app.request(u, i) }) }
}

/** What `fetch` throws when the connection ends before an answer. */
export function cut(code = 'ECONNRESET'): never {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
}

/** The app of an enrolled sidecar over scripted programs. */
export async function startApp(
  t: TestContext,
  answers: Scripted,
  enrolled = true,
  changes: Partial<SidecarParts> = {},
) {
  const volume = await openVolume(await newDirectory(t))
  const key = await loadKey(volume)
  const mediator = scripted('mediator', answers)
  const tools = scripted('kubernetes-read tool', answers)
  const clock = clockAt()
  const lines: string[] = []
  const app = sidecarApp({
    key,
    receipts: await openReceipts(volume, clock),
    stopping: new AbortController().signal,
    run: 'run',
    sequence: await openSequence(volume),
    tokens,
    mediator: mediator.upstream,
    tools: tools.upstream,
    clock,
    ids: idsFrom(),
    sleep: async (ms) => {
      clock.at += ms
    },
    enroller: {
      current() {
        if (enrolled) return enrolmentOf(key)
        throw new JackstayError('not_ready', 'not enrolled yet')
      },
      problem: () => undefined,
      settling: () => false,
      run: async () => {},
    },
    log: logger({ name: 'sidecar', write: (line) => lines.push(line) }),
    metrics: metrics({ name: 'sidecar', process: false }),
    ...changes,
  })
  const post = async (path: string, body: unknown) =>
    await app.request(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  return { app, post, mediator, tools, lines, clock, volume }
}
