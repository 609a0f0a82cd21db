import { JackstayError } from '@jackstay/contract/errors'
import type { ApiRequest, KubeClient } from './client.ts'
import { isRecord, objectPath } from './resources.ts'
import { parseStatus, readError } from './status.ts'

/** What the API server says about a token. Everything is empty unless `authenticated`. */
export interface TokenReview {
  readonly authenticated: boolean
  readonly username: string
  readonly uid: string
  readonly groups: readonly string[]
  /** Those asked for that the token is good for. */
  readonly audiences: readonly string[]
  /** Pod name and uid of a bound token, among others. */
  readonly extra: Readonly<Record<string, readonly string[]>>
  readonly error?: string
}

export interface TokenOptions {
  readonly audiences: readonly string[]
  /** At least 600; the server may shorten it. */
  readonly expirationSeconds: number
  /** The token ends with this object. */
  readonly boundObjectRef?: {
    readonly apiVersion: string
    readonly kind: string
    readonly name: string
    readonly uid?: string
  }
  readonly signal?: AbortSignal
}

export interface TokenResult {
  readonly token: string
  /** RFC 3339. */
  readonly expiresAt: string
}

export async function tokenReview(
  client: KubeClient,
  token: string,
  audiences: readonly string[],
  signal?: AbortSignal,
): Promise<TokenReview> {
  const path = '/apis/authentication.k8s.io/v1/tokenreviews'
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences },
  }
  const status = await post(client, { method: 'POST', path, body, ...(signal && { signal }) })
  const user = isRecord(status.user) ? status.user : {}
  // An authenticator that knows no audiences answers without any, for a token made for the API
  // server itself: that is no proof for ours.
  const named = texts(status.audiences).filter((one) => audiences.includes(one))
  const username = typeof user.username === 'string' ? user.username : ''
  if (status.authenticated !== true || username === '' || named.length === 0) {
    const error = typeof status.error === 'string' && status.error !== '' ? status.error : undefined
    return {
      authenticated: false,
      username: '',
      uid: '',
      groups: [],
      audiences: [],
      extra: {},
      ...(error && { error }),
    }
  }
  const extra = Object.entries(isRecord(user.extra) ? user.extra : {})
  return {
    authenticated: true,
    username,
    uid: typeof user.uid === 'string' ? user.uid : '',
    groups: texts(user.groups),
    audiences: named,
    extra: Object.fromEntries(extra.map(([key, values]) => [key, texts(values)])),
  }
}

export async function createToken(
  client: KubeClient,
  namespace: string,
  serviceAccount: string,
  { signal, ...spec }: TokenOptions,
): Promise<TokenResult> {
  const ref = { apiVersion: 'v1', resource: 'serviceaccounts', namespace, name: serviceAccount }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const status = await post(client, {
    method: 'POST',
    path: objectPath(ref, 'token'),
    body,
    ...(signal && { signal }),
  })
  if (typeof status.token !== 'string' || typeof status.expirationTimestamp !== 'string') {
    throw new JackstayError(
      'upstream_unavailable',
      `the API server made no token for \`${namespace}/${serviceAccount}\`; try again`,
    )
  }
  return { token: status.token, expiresAt: status.expirationTimestamp }
}

async function post(
  client: KubeClient,
  request: ApiRequest,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, headers, body } = await client.request(request)
  if (status >= 300) throw readError(`POST ${request.path}`, parseStatus(status, body, headers))
  return isRecord(body) && isRecord(body.status) ? body.status : {}
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
