/**
 * Every error code Jackstay speaks, with its HTTP status and whether the same request may succeed
 * later. A code is never renamed or reused: clients and runbooks switch on it.
 */
export const errorCodes = {
  // the request itself
  malformed_json: {
    status: 400,
    retryable: false,
    meaning: 'the body is not the JSON it has to be',
  },
  not_canonical: {
    status: 400,
    retryable: false,
    meaning: 'the JSON differs from its canonical form (RFC 8785)',
  },
  forbidden_key: { status: 400, retryable: false, meaning: 'a key that would reach a prototype' },
  invalid_request: {
    status: 400,
    retryable: false,
    meaning: 'a field is missing, unknown or wrong',
  },
  too_large: { status: 413, retryable: false, meaning: 'the body exceeds its limit' },
  too_slow: { status: 408, retryable: true, meaning: 'the body or the answer missed its deadline' },
  not_found: { status: 404, retryable: false, meaning: 'no such thing, or not yours to see' },
  method_not_allowed: {
    status: 405,
    retryable: false,
    meaning: 'the path exists, the verb does not',
  },
  // who is calling
  unauthenticated: { status: 401, retryable: false, meaning: 'no or wrong credentials' },
  invalid_signature: {
    status: 401,
    retryable: false,
    meaning: 'the signature or its header is wrong',
  },
  wrong_audience: { status: 401, retryable: false, meaning: 'signed or minted for somebody else' },
  not_fresh: {
    status: 401,
    retryable: false,
    meaning: 'outside its lifetime, or issued in the future',
  },
  unknown_key: { status: 401, retryable: false, meaning: 'no enrolled key has this thumbprint' },
  key_revoked: { status: 401, retryable: false, meaning: 'the key was revoked' },
  pod_not_live: { status: 401, retryable: false, meaning: 'the Pod is gone, ending or replaced' },
  replayed: { status: 401, retryable: false, meaning: 'this id was used under another key' },
  intent_conflict: { status: 409, retryable: false, meaning: 'this id was used for other bytes' },
  second_enrolment: {
    status: 409,
    retryable: false,
    meaning: 'the Pod had a key; both are revoked',
  },
  forbidden: { status: 403, retryable: false, meaning: 'known, but not allowed' },
  rate_limited: { status: 429, retryable: true, meaning: 'too many requests from this caller' },
  // ourselves and what we stand on
  not_ready: { status: 503, retryable: true, meaning: 'a cache or dependency is not in step yet' },
  overloaded: { status: 503, retryable: true, meaning: 'a bounded queue is full' },
  draining: { status: 503, retryable: true, meaning: 'the program is shutting down' },
  upstream_unavailable: { status: 502, retryable: true, meaning: 'what we call did not answer' },
  cluster_refused: { status: 502, retryable: false, meaning: 'the API server refused our call' },
  cluster_conflict: { status: 409, retryable: true, meaning: 'the object moved meanwhile' },
  outcome_unknown: {
    status: 504,
    retryable: false,
    meaning: 'sent, but no answer: read before going on',
  },
  retained: {
    status: 409,
    retryable: false,
    meaning: 'a legal hold, the retention policy or an open intent keeps it',
  },
  ledger_damaged: { status: 500, retryable: false, meaning: 'the log does not verify' },
  invalid_config: { status: 500, retryable: false, meaning: 'configuration or flag is wrong' },
  invalid_rule: { status: 422, retryable: false, meaning: 'a rule cannot be loaded' },
  internal: { status: 500, retryable: false, meaning: 'a bug of ours' },
} as const satisfies Record<string, { status: number; retryable: boolean; meaning: string }>

export type ErrorCode = keyof typeof errorCodes

/**
 * The one error class. Messages are lower case, without full stop, quote the caller's input in
 * backticks and say what to do next.
 */
export class JackstayError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean
  /** When the same request may succeed, where that is known. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options?: { cause?: unknown; retryAfterSeconds?: number },
  ) {
    super(message, options)
    this.name = 'JackstayError'
    this.code = code
    this.status = errorCodes[code].status
    this.retryable = errorCodes[code].retryable
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}

/** What an HTTP client of ours receives for any failure. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly retryable: boolean
    readonly retryAfterSeconds?: number
  }
}

export function errorBody({
  code,
  message,
  retryable,
  retryAfterSeconds,
}: JackstayError): ErrorBody {
  const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  return { error: { code, message, retryable, ...again } }
}

/** Ends a `switch` over a union: a new member makes this a type error, a stray value an exception. */
export function assertNever(value: never): never {
  throw new JackstayError('internal', `unexpected value \`${String(value)}\``)
}
