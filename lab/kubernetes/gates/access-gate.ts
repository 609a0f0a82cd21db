import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { type Attributes, onResource } from '../access/attributes.ts'
import { authenticate, type Credentials } from '../access/authenticate.ts'
import { impersonate } from '../access/impersonation.ts'
import type { Rbac } from '../access/rbac.ts'
import { verifyToken } from '../access/token-review.ts'
import type { TokenSettings } from '../access/tokens.ts'
import type { RequestInfo } from '../api/path.ts'
import { ApiError } from '../api/status.ts'
import type { User } from '../objects.ts'
import { isStatus } from '../status.ts'
import type { ObjectStore } from '../store/store.ts'

/** A request as rights are judged. */
export function attributesOf(info: RequestInfo): Attributes {
  if (info.kind === 'path') return { verb: info.verb, path: info.path }
  const { verb, group, plural, subresource, namespace, name } = info
  return onResource({ verb, group, resource: plural, subresource, namespace, name })
}

/** Who asks, or as whom. @throws ApiError 401, 403 */
export async function userOf(
  request: IncomingMessage,
  info: RequestInfo,
  parts: {
    readonly store: ObjectStore
    readonly rights: Rbac
    readonly tokens: TokenSettings
    readonly now: () => number
  },
): Promise<User> {
  const { store, rights, tokens, now } = parts
  const verify = (token: string) => verifyToken(store, tokens, token, now())
  const requester = await authenticate(credentialsOf(request), verify)
  if (isStatus(requester)) throw new ApiError(requester)
  const user = impersonate(rights, requester, request.headersDistinct, attributesOf(info))
  if (isStatus(user)) throw new ApiError(user)
  return user
}

function credentialsOf({ socket, headers: { authorization } }: IncomingMessage): Credentials {
  const told = authorization === undefined ? {} : { authorization }
  if (!(socket instanceof TLSSocket)) return told
  const certificate = socket.getPeerCertificate()
  // where the client showed none it is an empty object
  if (certificate.raw === undefined) return told
  return { ...told, certificate, isCertified: socket.authorized }
}
