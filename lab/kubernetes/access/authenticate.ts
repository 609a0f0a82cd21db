import { createHash } from 'node:crypto'
import type { User } from '../objects.ts'
import { type Status, unauthorized } from '../status.ts'
import type { Verified } from './token-review.ts'
import { anonymous, authenticated, unauthenticated } from './user-names.ts'

/** A client certificate as Node's TLS sockets give it (`getPeerCertificate`). */
export interface PeerCertificate {
  readonly subject: {
    readonly CN?: string | readonly string[] | undefined
    readonly O?: string | readonly string[] | undefined
  }
  /** In DER. */
  readonly raw: Uint8Array
}

export interface Credentials {
  /** The header of that name. */
  readonly authorization?: string | undefined
  /** Given where the client showed one. */
  readonly certificate?: PeerCertificate | undefined
  /** Whether the lab's authority signed it and it holds now (`socket.authorized`). */
  readonly isCertified?: boolean
}

/**
 * Who asks: by client certificate (common name and organisations), else by bearer token, else nobody.
 * What is shown and not believed is a 401, never nobody.
 */
export async function authenticate(
  { authorization, certificate, isCertified = false }: Credentials,
  verify: (token: string) => Promise<Verified>,
): Promise<User | Status> {
  if (certificate !== undefined && isCertified) {
    const user = certifiedUser(certificate)
    if (user !== undefined) return withGroup(user, authenticated)
  }
  const token = bearerToken(authorization)
  const verified = token === undefined ? undefined : await verify(token)
  if (verified !== undefined && 'user' in verified) return withGroup(verified.user, authenticated)
  if (token !== undefined || (certificate !== undefined && !isCertified)) return unauthorized()
  return { username: anonymous, groups: [unauthenticated], extra: {} }
}

function certifiedUser({ subject, raw }: PeerCertificate): User | undefined {
  const [username = ''] = texts(subject.CN)
  if (username === '') return undefined
  const print = createHash('sha256').update(raw).digest('hex')
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${print}`] }
  return { username, groups: texts(subject.O), extra }
}

/** The scheme in any case, and nothing after the token; an empty one is none. */
function bearerToken(authorization: string | undefined): string | undefined {
  const [scheme = '', token = ''] = (authorization ?? '').trim().split(' ')
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined
}

function withGroup(user: User, group: string): User {
  const known = [authenticated, unauthenticated].some((one) => user.groups.includes(one))
  return known ? user : { ...user, groups: [...user.groups, group] }
}

function texts(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}
