import type { FieldError } from './resources/resource.ts'

/** How the API server refuses: the body of every failed answer. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Failure'
  readonly message: string
  readonly reason?: string
  readonly details?: StatusDetails
  /** HTTP status. */
  readonly code: number
}

/** One of several things that were amiss. */
interface Cause {
  readonly message: string
  readonly reason?: string
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** The plural, or the kind where an object is invalid. */
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly Cause[]
  readonly retryAfterSeconds?: number
}

/** What is asked for: a plural or a kind, with its group (empty for the core group). */
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

export function failure(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    // where it calls something its own fault the server names no reason
    ...(reason !== '' && { reason }),
    ...(details && { details }),
    code,
  }
}

export function isStatus(answer: object | undefined): answer is Status {
  return answer !== undefined && 'kind' in answer && answer.kind === 'Status' && 'code' in answer
}

export function unauthorized(): Status {
  return failure(401, 'Unauthorized', 'Unauthorized')
}

export function badRequest(message: string): Status {
  return failure(400, 'BadRequest', message)
}

/** `what` without a resource: a path was asked for. */
export function forbidden(what: GroupResource | undefined, name: string, why: string): Status {
  const target =
    what === undefined ? '' : `${qualified(what)}${name === '' ? '' : ` ${quote(name)}`} is `
  return failure(403, 'Forbidden', `${target}forbidden: ${why}`, detailsOf(what, name))
}

export function notFound(what: GroupResource, name: string): Status {
  const message = `${qualified(what)} ${quote(name)} not found`
  return failure(404, 'NotFound', message, detailsOf(what, name))
}

export function conflict(what: GroupResource, name: string, why: string): Status {
  const message = `Operation cannot be fulfilled on ${qualified(what)} ${quote(name)}: ${why}`
  return failure(409, 'Conflict', message, detailsOf(what, name))
}

/** `what.resource` is the kind here. */
export function invalid(what: GroupResource, name: string, causes: readonly FieldError[]): Status {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`)
  const message = `${qualified(what)} ${quote(name)} is invalid: ${aggregate(texts)}`
  return failure(422, 'Invalid', message, { ...detailsOf(what, name), causes })
}

/** `deployments.apps`, or `pods`. */
export function qualified({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`
}

/** Several errors as the API server writes them in one text. */
export function aggregate(texts: readonly string[]): string {
  const different = [...new Set(texts)]
  return different.length === 1 ? different.join('') : `[${different.join(', ')}]`
}

/** As Go quotes; the API server's messages are full of it. */
export function quote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([0-9a-f]{2})/g, '\\x$1')
    .replaceAll('\u007f', '\\x7f')
}

function detailsOf(what: GroupResource | undefined, name: string): StatusDetails {
  return {
    ...(name !== '' && { name }),
    ...(what !== undefined && what.group !== '' && { group: what.group }),
    ...(what !== undefined && what.resource !== '' && { kind: what.resource }),
  }
}
