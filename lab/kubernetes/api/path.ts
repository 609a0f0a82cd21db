import type { Verb } from '../resources/resource.ts'
import { noSuchPath } from './status.ts'

/** What a request is about, as RBAC and policies see it. */
export type RequestInfo = ResourceRequest | PathRequest

export interface ResourceRequest {
  readonly kind: 'resource'
  readonly verb: Verb
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource: string
  /** Empty where none is named. */
  readonly namespace: string
  readonly name: string
}

/** Such as `/healthz` or `/apis`. */
export interface PathRequest {
  readonly kind: 'path'
  /** The method in lower case. */
  readonly verb: string
  readonly path: string
}

const verbs: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Subresources of namespaces; whatever else follows a namespace is a resource within it. */
const ofNamespaces = new Set(['status', 'finalize'])

/** @throws ApiError for a path that does not decode */
export function requestInfo(method: string, url: URL): RequestInfo {
  const parts = segments(url.pathname)
  const found = resourceParts(parts)
  const verb = verbs[method]
  if (found === undefined || verb === undefined) {
    return { kind: 'path', verb: method.toLowerCase(), path: url.pathname }
  }
  const { group, version, rest } = found
  const inNamespace =
    rest[0] === 'namespaces' && rest.length > 2 && !ofNamespaces.has(rest[2] ?? '')
  const [plural = '', name = '', ...sub] = inNamespace ? rest.slice(2) : rest
  const itself = rest[0] === 'namespaces' && !inNamespace
  const namespace = inNamespace ? (rest[1] ?? '') : itself ? name : ''
  const target = { group, version, plural, subresource: sub.join('/'), namespace, name }
  return { kind: 'resource', verb: verbOf(verb, name, url.searchParams), ...target }
}

function segments(pathname: string): readonly string[] {
  try {
    return pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
  } catch {
    throw noSuchPath()
  }
}

function resourceParts(parts: readonly string[]) {
  const [root, first = '', second = '', ...rest] = parts
  if (root === 'api' && parts.length > 2) {
    return { group: '', version: first, rest: [second, ...rest] }
  }
  return root === 'apis' && parts.length > 3 ? { group: first, version: second, rest } : undefined
}

function verbOf(verb: Verb, name: string, query: URLSearchParams): Verb {
  if (name !== '') return verb
  if (verb === 'delete') return 'deletecollection'
  if (verb !== 'get') return verb
  return isTrue(query.get('watch')) ? 'watch' : 'list'
}

/** As the API server reads a flag in a query: given without a value it holds. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}
