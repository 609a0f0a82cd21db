import { type ErrorCode, JackstayError } from '@jackstay/contract/errors'
import { isRecord } from './resources.ts'

/** What the API server says about a failure, from its `Status` object. */
export interface ApiStatus {
  /** HTTP status. */
  readonly code: number
  /** `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, `Forbidden`, `Expired`, … or empty. */
  readonly reason: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** Carries the API server's own words as the `cause` of a JackstayError. */
export class ApiStatusError extends Error {
  readonly status: ApiStatus

  constructor(status: ApiStatus) {
    super(status.message)
    this.name = 'ApiStatusError'
    this.status = status
  }
}

/** The API server's words behind an error, if it answered at all. */
export function statusOf(error: unknown): ApiStatus | undefined {
  if (error instanceof ApiStatusError) return error.status
  return error instanceof Error && error.cause !== undefined ? statusOf(error.cause) : undefined
}

/** Reads a failed answer's body; a proxy's page becomes a Status without reason. */
export function parseStatus(
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): ApiStatus {
  const status = isRecord(body) && body.kind === 'Status' ? body : {}
  const details = isRecord(status.details) ? status.details : {}
  const header = Number(headers['retry-after'])
  const seconds = typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds : header
  return {
    code,
    reason: typeof status.reason === 'string' ? status.reason : '',
    message: typeof status.message === 'string' ? status.message : `HTTP status ${code}`,
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: seconds } : {}),
  }
}

/** A failed read as an error whose text says what was asked and what to do. */
export function readError(request: string, status: ApiStatus): JackstayError {
  const { code, advice } = meaning(status.code)
  return new JackstayError(
    code,
    `\`${request}\` was answered ${status.code}: ${status.message}${advice}`,
    { cause: new ApiStatusError(status) },
  )
}

function meaning(status: number): { code: ErrorCode; advice: string } {
  if (status === 404)
    return { code: 'not_found', advice: '; check name, namespace and that the kind is installed' }
  if (status === 401) return { code: 'cluster_refused', advice: '; renew the credentials' }
  if (status === 403) return { code: 'cluster_refused', advice: '; grant this identity the right' }
  if (status === 409) return { code: 'cluster_conflict', advice: '; read the object again' }
  if (status === 429 || status >= 500)
    return { code: 'upstream_unavailable', advice: '; try again later' }
  return { code: 'cluster_refused', advice: '; correct the request' }
}
