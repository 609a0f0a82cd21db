import { JackstayError } from '@jackstay/contract/errors'

/** A kind as the API serves it, e.g. `{apiVersion: 'apps/v1', resource: 'deployments'}`. */
export interface ResourceType {
  /** `v1` for the core group, else `group/version`. */
  readonly apiVersion: string
  readonly kind?: string
  /** The plural in the path. */
  readonly resource: string
}

/** One object. No `namespace` means cluster-scoped. */
export interface ResourceRef extends ResourceType {
  readonly namespace?: string
  readonly name: string
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  readonly manager?: string
  readonly operation?: string
  readonly apiVersion?: string
  readonly time?: string
  readonly fieldsType?: string
  readonly fieldsV1?: unknown
  readonly subresource?: string
}

/** Object metadata as JSON carries it; times are RFC 3339 text. */
export interface ObjectMeta {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string | null
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly ManagedFieldsEntry[]
}

/** An object from the API server. Only its envelope is typed: parse the rest where it is used. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

/** Who an object is, with both preconditions a write of ours needs. */
export interface ObjectIdentity {
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Accepts a value from the API server as an object.
 * @throws JackstayError `upstream_unavailable` when it is no Kubernetes object (a proxy's page, say)
 */
export function asObject(value: unknown): KubeObject {
  if (!isRecord(value) || !isRecord(value.metadata)) {
    throw new JackstayError(
      'upstream_unavailable',
      'the answer is not a kubernetes object; check that the server address is an API server',
    )
  }
  const { metadata } = value
  for (const field of ['name', 'namespace', 'uid', 'resourceVersion'] as const) {
    if (metadata[field] !== undefined && typeof metadata[field] !== 'string') {
      throw new JackstayError(
        'upstream_unavailable',
        `the answer's \`metadata.${field}\` is no text`,
      )
    }
  }
  // The one cast of this package: what the loop above does not check (labels, owners, managed
  // fields) is typed by the API server itself, which stores nothing else.
  return value as KubeObject
}

/**
 * The identity of a stored object.
 * @throws JackstayError `upstream_unavailable` when a part is missing, as on an object never stored
 */
export function identityOf(object: KubeObject): ObjectIdentity {
  const { namespace, name, uid, resourceVersion } = object.metadata
  if (!name || !uid || !resourceVersion) {
    throw new JackstayError(
      'upstream_unavailable',
      `the ${object.kind ?? 'object'} \`${name ?? ''}\` has no name, uid or resourceVersion; read it again`,
    )
  }
  return { ...(namespace === undefined ? {} : { namespace }), name, uid, resourceVersion }
}

/**
 * The path of a collection: all namespaces when `namespace` is absent.
 * @throws JackstayError `invalid_request` for an empty or dotted segment
 */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const parts = type.apiVersion.split('/')
  if (parts.length > 2) {
    throw new JackstayError(
      'invalid_request',
      `\`${type.apiVersion}\` is no apiVersion; use group/version`,
    )
  }
  const root = parts.length === 1 ? ['api'] : ['apis']
  const scope = namespace === undefined ? [] : ['namespaces', namespace]
  return [...root, ...parts, ...scope, type.resource].map(segment).join('')
}

/**
 * The path of one object or of one of its subresources.
 * @throws JackstayError `invalid_request` for an empty or dotted segment
 */
export function objectPath(ref: ResourceRef, subresource?: string): string {
  const rest = subresource === undefined ? [ref.name] : [ref.name, ...subresource.split('/')]
  return collectionPath(ref, ref.namespace) + rest.map(segment).join('')
}

/** `kind namespace/name` for messages. */
export function describeRef(ref: ResourceRef): string {
  const name = ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`
  return `${ref.kind ?? ref.resource} ${name}`
}

/** `.` and `..` survive percent-encoding and would climb to another resource. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw new JackstayError(
      'invalid_request',
      `\`${text}\` cannot be part of an API path; give a name`,
    )
  }
  return `/${encodeURIComponent(text)}`
}
