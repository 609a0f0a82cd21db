import { SignJWT } from 'jose'
import { z } from 'zod'
import type { KubeObject, StoredObject } from '../objects.ts'
import type { FieldError } from '../resources/resource.ts'
import { badRequest, conflict, invalid, isStatus, notFound, quote, type Status } from '../status.ts'
import { timestamp } from '../timestamp.ts'
import type { Lister } from './lister.ts'
import type { TokenKey } from './token-key.ts'
import { serviceAccountName } from './user-names.ts'

export interface TokenSettings {
  readonly key: TokenKey
  readonly issuer: string
  /** What a token for the API server itself is for. */
  readonly audiences: readonly string[]
}

export interface TokenAsked {
  /** The service account, as the path names it. */
  readonly namespace: string
  readonly name: string
  /** A TokenRequest. */
  readonly body: unknown
  /** Milliseconds since the epoch. */
  readonly now: number
  /** A fresh UUID. */
  readonly tokenId: string
}

interface Reference {
  readonly name: string
  readonly uid?: string | undefined
}

/** What a token says besides what every JWT does. */
export interface KubernetesClaims {
  readonly namespace: string
  readonly serviceaccount: Reference
  readonly pod?: Reference | undefined
  readonly node?: Reference | undefined
  readonly secret?: Reference | undefined
  /** Seconds since the epoch. */
  readonly warnafter?: number
}

const boundObjectRef = z.object({
  kind: z.string().default(''),
  apiVersion: z.string().default(''),
  name: z.string().default(''),
  uid: z.string().optional(),
})

const tokenRequest = z.object({
  metadata: z
    .object({
      name: z.string().optional(),
      namespace: z.string().optional(),
      uid: z.string().optional(),
    })
    .default({}),
  spec: z.object({
    audiences: z
      .array(z.string())
      .nullish()
      .transform((audiences) => audiences ?? []),
    expirationSeconds: z
      .int()
      .nullish()
      .transform((seconds) => seconds ?? 3600),
    boundObjectRef: boundObjectRef.nullish().transform((ref) => ref ?? null),
  }),
})
type TokenRequest = z.output<typeof tokenRequest>

const kind = { group: 'authentication.k8s.io', resource: 'TokenRequest' }
const maxSeconds = 2 ** 32
/** What kubelets ask for: such tokens are good for a year, and only warned about after the hour. */
const projectedSeconds = 3607
const extendedSeconds = 365 * 24 * 3600

/** Answers a TokenRequest as the API server does, with the token in its status. */
export async function requestToken(
  lister: Lister,
  settings: TokenSettings,
  asked: TokenAsked,
): Promise<KubeObject | Status> {
  const parsed = tokenRequest.safeParse(asked.body)
  if (!parsed.success) return badRequest('the body cannot be handled as a TokenRequest')
  const request = parsed.data
  const { namespace, name } = asked
  const { metadata } = request
  if (metadata.namespace && metadata.namespace !== namespace) {
    return badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    )
  }
  if (metadata.name && metadata.name !== name) return invalid(kind, name, [misnamed(metadata.name)])
  const account = lister.get({ collection: 'serviceaccounts', namespace, name })
  if (account === undefined) return notFound({ group: '', resource: 'serviceaccounts' }, name)
  const { uid } = metadata
  if (uid && uid !== account.metadata.uid) {
    const why = `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`
    return conflict(kind, name, why)
  }
  const errors = secondsErrors(request.spec.expirationSeconds)
  if (errors.length > 0) return invalid(kind, '', errors)
  const bound = boundTo(lister, request.spec.boundObjectRef, asked)
  if (isStatus(bound)) return bound
  return answered(settings, asked, request, account, bound)
}

async function answered(
  settings: TokenSettings,
  { now, tokenId }: TokenAsked,
  { spec }: TokenRequest,
  { metadata: { name, namespace = '', uid } }: StoredObject,
  bound: Bound,
): Promise<KubeObject> {
  const audiences = spec.audiences.length === 0 ? settings.audiences : spec.audiences
  const seconds = Math.floor(now / 1000)
  const projected =
    bound.pod !== undefined &&
    spec.expirationSeconds === projectedSeconds &&
    audiences.every((audience) => settings.audiences.includes(audience))
  const lifetime = projected ? extendedSeconds : spec.expirationSeconds
  const claims: KubernetesClaims = {
    namespace,
    ...bound,
    serviceaccount: { name, uid },
    ...(projected && { warnafter: seconds + spec.expirationSeconds }),
  }
  const token = await new SignJWT({ 'kubernetes.io': claims })
    .setProtectedHeader({ alg: 'ES256', kid: settings.key.id })
    .setAudience([...audiences])
    .setExpirationTime(seconds + lifetime)
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setIssuer(settings.issuer)
    .setJti(tokenId)
    .setSubject(serviceAccountName(namespace, name))
    .sign(settings.key.signing)
  const expirationTimestamp = timestamp(now + spec.expirationSeconds * 1000)
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, uid, creationTimestamp: timestamp(now) },
    spec: { ...spec, audiences },
    status: { token, expirationTimestamp },
  }
}

type Bound = Pick<KubernetesClaims, 'node' | 'pod' | 'secret'>

function boundTo(
  lister: Lister,
  ref: TokenRequest['spec']['boundObjectRef'],
  { namespace, name }: TokenAsked,
): Bound | Status {
  if (ref === null) return {}
  const collection = collectionOf(ref)
  const [group = '', version = ''] = ref.apiVersion.includes('/')
    ? ref.apiVersion.split('/')
    : ['', ref.apiVersion]
  if (collection === undefined) {
    return badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${ref.kind}`)
  }
  const within = collection === 'nodes' ? '' : namespace
  const object = lister.get({ collection, namespace: within, name: ref.name })
  if (object === undefined) return notFound({ group, resource: collection }, ref.name)
  const reference = { name: ref.name, uid: object.metadata.uid }
  const spec = podSpec.safeParse(object.spec).data ?? {}
  if (collection === 'pods' && (spec.serviceAccountName ?? 'default') !== name) {
    return badRequest(
      `cannot bind token for serviceaccount ${quote(name)} to pod running with different serviceaccount name.`,
    )
  }
  if (ref.uid && ref.uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`
    return conflict({ group, resource: ref.kind }, ref.name, why)
  }
  if (collection === 'nodes') return { node: reference }
  if (collection === 'secrets') return { secret: reference }
  return { pod: reference, ...nodeOfPod(lister, spec.nodeName) }
}

const podSpec = z.object({
  serviceAccountName: z.string().optional(),
  nodeName: z.string().optional(),
})

function collectionOf({
  apiVersion,
  kind: wanted,
}: z.output<typeof boundObjectRef>): 'nodes' | 'pods' | 'secrets' | undefined {
  if (apiVersion.includes('/')) return undefined
  return ({ Node: 'nodes', Pod: 'pods', Secret: 'secrets' } as const)[wanted]
}

/** A node that is not there yet is named all the same. */
function nodeOfPod(lister: Lister, name: string | undefined): Pick<KubernetesClaims, 'node'> {
  if (name === undefined || name === '') return {}
  const node = lister.get({ collection: 'nodes', namespace: '', name })
  return { node: { name, ...(node && { uid: node.metadata.uid }) } }
}

function misnamed(given: string): FieldError {
  const message = `Invalid value: ${quote(given)}: must match the service account name if specified`
  return { field: 'metadata.name', reason: 'FieldValueInvalid', message }
}

function secondsErrors(seconds: number): FieldError[] {
  const error = (why: string): FieldError[] => [
    {
      field: 'spec.expirationSeconds',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${seconds}: may not specify a duration ${why}`,
    },
  ]
  if (seconds < 600) return error('less than 10 minutes')
  return seconds > maxSeconds ? error('larger than 2^32 seconds') : []
}
