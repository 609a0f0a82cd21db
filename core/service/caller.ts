import { hash } from 'node:crypto'
import { JackstayError } from '@jackstay/contract/errors'
import type { Context } from 'hono'

/** What a TokenReview's status says. */
export interface TokenReviewResult {
  readonly authenticated: boolean
  readonly username: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  readonly audiences: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
  readonly error?: string | undefined
}

/** Who can ask the API server about a token. A rejection means: no answer. */
export interface TokenReviewer {
  tokenReview(
    token: string,
    audiences: readonly string[],
    signal: AbortSignal,
  ): Promise<TokenReviewResult>
}

export interface PodRef {
  readonly name: string
  readonly uid: string
}

export interface ServiceAccountCaller {
  readonly kind: 'serviceaccount'
  readonly username: string
  readonly groups: readonly string[]
  readonly namespace: string
  readonly name: string
  readonly uid?: string
  /** The Pod the token is bound to. */
  readonly pod?: PodRef
}

export interface UserCaller {
  readonly kind: 'user'
  readonly username: string
  readonly groups: readonly string[]
}

export type Caller = ServiceAccountCaller | UserCaller
export type PodCaller = ServiceAccountCaller & { readonly pod: PodRef }

export interface CallersOptions {
  readonly reviewer: TokenReviewer
  /** Milliseconds that never run backwards, such as `() => performance.now()`. */
  readonly clock: () => number
  /** Tokens remembered, yes and no each (default 10,000). */
  readonly maxEntries?: number
  /** How long a yes is believed, at most 60,000 (default 60,000). */
  readonly ttlMs?: number
  /** How long a no is believed (default 5,000, never longer than a yes). */
  readonly refusedMs?: number
  /** How long one review may take (default 5,000). */
  readonly reviewMs?: number
  /** Reviews under way at once; more are refused as `overloaded` (default 64). */
  readonly maxReviews?: number
}

export interface Callers {
  /**
   * Who the API server says holds `token`, for exactly `audience`. Coalesces reviews of one token,
   * remembers answers under the token's digest.
   * @throws JackstayError `unauthenticated`, `wrong_audience`, `upstream_unavailable`, `overloaded`
   */
  identify(token: string, audience: string, signal: AbortSignal): Promise<Caller>
  /**
   * Who held `token` when it was last found good, within the last hour; without asking. Nothing may be
   * allowed on the strength of it: the token may have been revoked since.
   */
  recall(token: string): Caller | undefined
  readonly entries: number
}

type Answer =
  | { readonly caller: Caller }
  | { readonly refused: 'unauthenticated' | 'wrong_audience'; readonly why: string }

const maxTokenLength = 16 * 1024
/** As long as a projected token lives. */
const recallMs = 3600_000

function digestOf(token: string): string {
  return hash('sha256', token, 'base64')
}

/** One name for whoever holds a token: an agent's Pod, a ServiceAccount, a user. */
export function callerKey(caller: Caller): string {
  const pod = caller.kind === 'serviceaccount' ? caller.pod : undefined
  return `${caller.username} ${pod?.uid ?? ''}`
}

/**
 * The token of `Authorization: Bearer …`.
 * @throws JackstayError `unauthenticated`
 */
export function bearerToken(c: Context): string {
  const token = bearerIn(c)
  if (token !== undefined) return token
  throw new JackstayError('unauthenticated', 'send `Authorization: Bearer <token>`')
}

/** The same, undefined where there is none. */
export function bearerIn(c: Context): string | undefined {
  const header = c.req.header('authorization')
  const token = header && /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.[1]
  return token && token.length <= maxTokenLength ? token : undefined
}

/** A map that forgets what was used longest ago, and everything after `ttlMs`. */
class Remembered<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly at: number }>()
  readonly #max: number
  readonly #ttlMs: number

  constructor(max: number, ttlMs: number) {
    this.#max = max
    this.#ttlMs = ttlMs
  }

  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    // a clock that ran backwards makes an answer old, never young
    if (now < entry.at || now - entry.at >= this.#ttlMs) return undefined
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: T, now: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, at: now })
    if (this.#entries.size <= this.#max) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }

  get size(): number {
    return this.#entries.size
  }
}

export function callers(options: CallersOptions): Callers {
  const { reviewer, clock } = options
  const maxEntries = options.maxEntries ?? 10_000
  const ttlMs = options.ttlMs ?? 60_000
  if (!(ttlMs >= 0 && ttlMs <= 60_000)) {
    throw new JackstayError('invalid_config', `ttlMs is \`${ttlMs}\`; choose 0 to 60000`)
  }
  const reviewMs = options.reviewMs ?? 5_000
  const maxReviews = options.maxReviews ?? 64
  // apart, so that a flood of wrong tokens never evicts a right one
  const known = new Remembered<Caller>(maxEntries, ttlMs)
  const refused = new Remembered<Answer>(maxEntries, Math.min(options.refusedMs ?? 5_000, ttlMs))
  const recalled = new Remembered<Caller>(maxEntries, recallMs)
  const reviews = new Map<string, Promise<Answer>>()

  const review = async (key: string, token: string, audience: string): Promise<Answer> => {
    const startedAt = clock() // an answer is as old as its question
    const answer = await ask(reviewer, token, audience, reviewMs)
    if ('caller' in answer) known.set(key, answer.caller, startedAt)
    else refused.set(key, answer, startedAt)
    return answer
  }
  const join = (key: string, token: string, audience: string): Promise<Answer> => {
    const running = reviews.get(key)
    if (running) return running
    if (reviews.size >= maxReviews) {
      throw new JackstayError('overloaded', 'too many tokens are being reviewed; try again')
    }
    const started = review(key, token, audience).finally(() => reviews.delete(key))
    started.catch(() => {}) // every waiter may have left
    reviews.set(key, started)
    return started
  }

  return {
    async identify(token, audience, signal) {
      signal.throwIfAborted()
      if (token === '' || token.length > maxTokenLength) {
        throw new JackstayError('unauthenticated', 'the token is empty or too long')
      }
      const digest = digestOf(token)
      const key = `${digest} ${audience}`
      const now = clock()
      const caller = known.get(key, now)
      if (caller) return caller
      const answer =
        refused.get(key, now) ?? (await unlessAborted(join(key, token, audience), signal))
      if ('caller' in answer) {
        recalled.set(digest, answer.caller, now)
        return answer.caller
      }
      throw new JackstayError(answer.refused, answer.why)
    },
    recall: (token) => recalled.get(digestOf(token), clock()),
    get entries() {
      return known.size + refused.size + recalled.size
    },
  }
}

/** One review with its own deadline, so no single waiter's abort ends it for the others. */
async function ask(
  reviewer: TokenReviewer,
  token: string,
  audience: string,
  reviewMs: number,
): Promise<Answer> {
  let result: TokenReviewResult
  const deadline = AbortSignal.timeout(reviewMs)
  try {
    result = await unlessAborted(reviewer.tokenReview(token, [audience], deadline), deadline)
  } catch (cause) {
    throw new JackstayError(
      'upstream_unavailable',
      'the API server did not answer the TokenReview; try again',
      { cause },
    )
  }
  return judge(result, audience)
}

function judge(result: TokenReviewResult, audience: string): Answer {
  if (result.authenticated !== true || !result.username) {
    return { refused: 'unauthenticated', why: 'the API server does not know this token' }
  }
  // INVARIANT (T05): an API server or webhook that ignores audiences leaves this list empty
  if (!result.audiences.includes(audience)) {
    return {
      refused: 'wrong_audience',
      why: `the token is not for \`${audience}\`; ask for one with that audience`,
    }
  }
  const caller = callerOf(result)
  return caller
    ? { caller }
    : { refused: 'unauthenticated', why: 'the token names a Pod ambiguously; get a new one' }
}

const serviceAccount =
  /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/
const podName = 'authentication.kubernetes.io/pod-name'
const podUid = 'authentication.kubernetes.io/pod-uid'

function callerOf(result: TokenReviewResult): Caller | undefined {
  const { username } = result
  const groups = [...result.groups]
  const [, namespace, name] = serviceAccount.exec(username) ?? []
  if (!namespace || !name) return { kind: 'user', username, groups }
  const base = {
    kind: 'serviceaccount' as const,
    username,
    groups,
    namespace,
    name,
    ...(result.uid && { uid: result.uid }),
  }
  const names = result.extra[podName] ?? []
  const uids = result.extra[podUid] ?? []
  if (names.length === 0 && uids.length === 0) return base
  const [first] = names
  const [uid] = uids
  if (names.length !== 1 || uids.length !== 1 || !first || !uid) return undefined
  return { ...base, pod: { name: first, uid } }
}

/**
 * The caller, if it is a ServiceAccount whose token is bound to a Pod.
 * @throws JackstayError `unauthenticated`
 */
export function requirePod(caller: Caller): PodCaller {
  if (caller.kind === 'serviceaccount' && caller.pod) return { ...caller, pod: caller.pod }
  throw new JackstayError('unauthenticated', 'the token is not bound to a Pod; use a projected one')
}

/** What our own watch knows about a Pod. */
export interface PodState {
  readonly uid: string
  readonly phase: string
  readonly deletionTimestamp?: string | undefined
}

/**
 * Exists, is the Pod the token was bound to, is not terminating, and is Pending or Running (T07).
 * TokenReview notices a deleted Pod only 10–70 s later, so this is asked of our own cache.
 */
export function podIsLive(pod: PodState | undefined, uid: string): boolean {
  return (
    pod !== undefined &&
    uid !== '' &&
    pod.uid === uid &&
    !pod.deletionTimestamp &&
    (pod.phase === 'Pending' || pod.phase === 'Running')
  )
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
