import type { FieldError, Resource } from '../resources/resource.ts'
import * as words from '../status.ts'
import { failure, type Status } from '../status.ts'

/** A request that ends with a Status. */
export class ApiError extends Error {
  readonly status: Status

  constructor(status: Status) {
    super(status.message)
    this.name = 'ApiError'
    this.status = status
  }
}

export function refusal(...said: Parameters<typeof failure>): ApiError {
  return new ApiError(failure(...said))
}

type Named = Pick<Resource, 'group' | 'plural'>
type Kinded = Pick<Resource, 'group' | 'kind'>

const ofPlural = ({ group, plural }: Named) => ({ group, resource: plural })
const ofKind = ({ group, kind }: Kinded) => ({ group, resource: kind })

export function notFound(resource: Named, name: string): ApiError {
  return new ApiError(words.notFound(ofPlural(resource), name))
}

/** No such path at all. */
export function noSuchPath(): ApiError {
  const message = 'the server could not find the requested resource'
  return refusal(404, 'NotFound', message, {})
}

export function alreadyExists({ group, plural }: Named, name: string): ApiError {
  const what = ofPlural({ group, plural })
  const message = `${words.qualified(what)} "${name}" already exists`
  const details = { name, ...(group !== '' && { group }), kind: plural }
  return refusal(409, 'AlreadyExists', message, details)
}

export function conflict(resource: Named, name: string, why: string): ApiError {
  return new ApiError(words.conflict(ofPlural(resource), name, why))
}

/** A deletion that is about another object, or another state of it, than is there. */
export function otherThanThought(resource: Kinded, name: string, why: string): ApiError {
  return new ApiError(words.conflict(ofKind(resource), name, why))
}

export const moved =
  'the object has been modified; please apply your changes to the latest version and try again'

export function badRequest(message: string): ApiError {
  return new ApiError(words.badRequest(message))
}

export function invalid(resource: Kinded, name: string, errors: readonly FieldError[]): ApiError {
  return new ApiError(words.invalid(ofKind(resource), name, errors))
}

export function expired(asked: number, oldest: number): ApiError {
  return refusal(410, 'Expired', `too old resource version: ${asked} (${oldest})`)
}

export function methodNotAllowed(): ApiError {
  const message = 'the server does not allow this method on the requested resource'
  return refusal(405, 'MethodNotAllowed', message, {})
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  return refusal(415, 'UnsupportedMediaType', message, {})
}

/** What a real API server would do and this one does not: said as such, never as an empty answer. */
export function notServed(what: string): ApiError {
  const message = `this is the Jackstay lab, a small Kubernetes in one process: it does not serve ${what}; use a real cluster for it`
  return refusal(501, 'NotImplemented', message)
}

/** That something was done that has no object to show. */
export const created = {
  ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' },
  code: 201,
} as const

/** That something was done. */
export function success({ group, plural }: Named, name: string, uid: string): object {
  return {
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' },
    details: { name, ...(group !== '' && { group }), kind: plural, uid },
  }
}
