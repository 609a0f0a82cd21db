import type { FieldError, Resource } from '../resources/resource.ts'

/** A `Status` as the API server sends it for whatever was not done. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: Readonly<Record<string, unknown>>
  /** Of what was not done. */
  readonly code?: number
}

/** A request that ends with a Status. */
export class ApiError extends Error {
  readonly status: Status & { readonly code: number }

  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super(message)
    this.name = 'ApiError'
    this.status = {
      ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message },
      ...(reason !== '' && { reason }),
      ...(details && { details }),
      code,
    }
  }
}

type Named = Pick<Resource, 'group' | 'plural'>

/** Such as `deployments.apps`. */
export function groupResource({ group, plural }: Named): string {
  return group === '' ? plural : `${plural}.${group}`
}

function detailsOf({ group, plural }: Named, name: string): Readonly<Record<string, unknown>> {
  return { ...(name !== '' && { name }), ...(group !== '' && { group }), kind: plural }
}

export function notFound(resource: Named, name: string): ApiError {
  const message = `${groupResource(resource)} "${name}" not found`
  return new ApiError(404, 'NotFound', message, detailsOf(resource, name))
}

/** A deletion that is about another object, or another state of it, than is there. */
export function otherThanThought(
  { group, kind }: Pick<Resource, 'group' | 'kind'>,
  name: string,
  why: string,
): ApiError {
  const what = group === '' ? kind : `${kind}.${group}`
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${what} "${name}": ${why}`,
    {
      ...{ name, ...(group !== '' && { group }) },
      kind,
    },
  )
}

/** No such path at all. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function alreadyExists(resource: Named, name: string): ApiError {
  const message = `${groupResource(resource)} "${name}" already exists`
  return new ApiError(409, 'AlreadyExists', message, detailsOf(resource, name))
}

export function conflict(resource: Named, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${groupResource(resource)} "${name}": ${why}`
  return new ApiError(409, 'Conflict', message, detailsOf(resource, name))
}

export const moved =
  'the object has been modified; please apply your changes to the latest version and try again'

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

export function invalid(
  { group, kind }: Pick<Resource, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const said = errors.map(({ field, message }) => `${field}: ${message}`)
  const why = said.length === 1 ? said[0] : `[${said.join(', ')}]`
  const what = group === '' ? kind : `${kind}.${group}`
  const causes = errors.map(({ reason, message, field }) => ({ reason, message, field }))
  return new ApiError(422, 'Invalid', `${what} "${name}" is invalid: ${why}`, {
    ...(name !== '' && { name }),
    ...(group !== '' && { group }),
    ...{ kind, causes },
  })
}

export function expired(asked: number, oldest: number): ApiError {
  return new ApiError(410, 'Expired', `too old resource version: ${asked} (${oldest})`)
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  )
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const list = accepted.join(', ')
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${list}`,
    {},
  )
}

/** What a real API server would do and this one does not: said as such, never as an empty answer. */
export function notServed(what: string): ApiError {
  return new ApiError(
    501,
    'NotImplemented',
    `this is the Jackstay lab, a small Kubernetes in one process: it does not serve ${what}; use a real cluster for it`,
  )
}

/** That something was done. */
export function success(resource: Named, name: string, uid: string): Status {
  return {
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' },
    details: { ...detailsOf(resource, name), uid },
  }
}
