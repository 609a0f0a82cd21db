import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import { z } from 'zod'
import type { KubeObject, User } from '../objects.ts'
import { aggregate, badRequest, notFound, type Status } from '../status.ts'
import type { Lister } from './lister.ts'
import { listText } from './rules.ts'
import type { KubernetesClaims, TokenSettings } from './tokens.ts'
import { authenticated, serviceAccountGroups, serviceAccountName } from './user-names.ts'

/** Whom a token is of; else why it is not believed, in the API server's words. */
export type Verified =
  | { readonly user: User; readonly audiences: readonly string[] }
  | { readonly error: string }

const reference = z.object({ name: z.string(), uid: z.string().default('') })
const payload = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.array(z.string()),
  exp: z.number(),
  nbf: z.number(),
  iat: z.number(),
  jti: z.string(),
  'kubernetes.io': z.object({
    namespace: z.string(),
    serviceaccount: reference,
    pod: reference.optional(),
    node: reference.optional(),
    secret: reference.optional(),
  }),
})
type Payload = z.output<typeof payload>

/** Clocks may differ by this, and what is deleted is believed in for as long. */
const leewayMs = 60_000
const unknown = { error: '' }
const gone = 'service account token has been invalidated'

/** `audiences`: what it has to be for, one of them; the API server's own where none are given. */
export async function verifyToken(
  lister: Lister,
  settings: TokenSettings,
  token: string,
  now: number,
  audiences: readonly string[] = settings.audiences,
): Promise<Verified> {
  const read = readToken(token)
  if (read === undefined || read.issuer !== settings.issuer) return unknown
  if (read.keyId !== undefined && read.keyId !== settings.key.id) {
    return { error: 'invalid signature, no keys found' }
  }
  const signed = await compactVerify(token, settings.key.verifying, { algorithms: ['ES256'] }).then(
    ({ payload: bytes }) => payload.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data,
    () => undefined,
  )
  if (signed === undefined) return { error: 'go-jose/go-jose: error in cryptographic primitive' }
  const wanted = audiences.length === 0 ? settings.audiences : audiences
  const common = signed.aud.filter((audience) => wanted.includes(audience))
  if (common.length === 0) {
    const error = `token audiences ${listText(signed.aud)} is invalid for the target audiences ${listText(wanted)}`
    return { error }
  }
  const error = timeError(signed, now) ?? aliveError(lister, signed['kubernetes.io'], now)
  return error === undefined ? { user: userOf(signed), audiences: common } : { error }
}

/** Answers a TokenReview as the API server does. */
export async function reviewToken(
  lister: Lister,
  settings: TokenSettings,
  body: unknown,
  now: number,
): Promise<KubeObject | Status> {
  const parsed = tokenReview.safeParse(body)
  if (!parsed.success) return badRequest('the body cannot be handled as a TokenReview')
  const { spec } = parsed.data
  if (spec.token === '') return badRequest('token is required for TokenReview in authentication')
  const verified = await verifyToken(lister, settings, spec.token, now, spec.audiences)
  return {
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {},
    spec,
    status:
      'error' in verified
        ? { user: {}, error: aggregate(['invalid bearer token', verified.error].filter(Boolean)) }
        : {
            authenticated: true,
            user: verified.user,
            audiences: verified.audiences,
          },
  }
}

const tokenReview = z.object({
  spec: z.object({ token: z.string().default(''), audiences: z.array(z.string()).optional() }),
})

/** What is not signed for yet; undefined where it is no token at all. */
function readToken(token: string): { issuer: string; keyId: string | undefined } | undefined {
  try {
    return { issuer: decodeJwt(token).iss ?? '', keyId: decodeProtectedHeader(token).kid }
  } catch {
    // whatever is wrong with it, it is none of ours
    return undefined
  }
}

function timeError({ exp, nbf, iat }: Payload, now: number): string | undefined {
  const ms = (seconds: number) => seconds * 1000
  if (now + leewayMs < ms(nbf)) return 'service account token is not valid yet'
  if (now - leewayMs > ms(exp)) return 'service account token has expired'
  if (now + leewayMs < ms(iat)) return 'service account token is issued in the future'
  return undefined
}

/** A token ends with its service account and with what it is bound to, also where they come again. */
function aliveError(
  lister: Lister,
  { namespace, serviceaccount, pod, node, secret }: KubernetesClaims,
  now: number,
): string | undefined {
  const find = (collection: string, within: string, name: string) => {
    const metadata = lister.get({ collection, namespace: within, name })?.metadata
    if (metadata === undefined) return undefined
    const { uid, deletionTimestamp } = metadata
    const isOver = deletionTimestamp && Date.parse(deletionTimestamp) < now - leewayMs
    return { uid, isOver }
  }
  const account = find('serviceaccounts', namespace, serviceaccount.name)
  if (account === undefined) {
    return notFound({ group: '', resource: 'serviceaccounts' }, serviceaccount.name).message
  }
  if (account.uid !== serviceaccount.uid) {
    return `service account UID (${account.uid}) does not match claim (${serviceaccount.uid})`
  }
  if (account.isOver) return `service account ${namespace}/${serviceaccount.name} has been deleted`
  const bound = [
    { called: 'Secret', claim: 'secret', collection: 'secrets', within: namespace, ref: secret },
    { called: 'pod', claim: 'pod', collection: 'pods', within: namespace, ref: pod },
    // a Pod's token only says on which node it was, and lives on without it
    { called: 'node', claim: 'node', collection: 'nodes', within: '', ref: pod ? undefined : node },
  ]
  for (const { called, claim, collection, within, ref } of bound) {
    if (ref === undefined) continue
    const object = find(collection, within, ref.name)
    if (object === undefined || (object.uid === ref.uid && object.isOver)) return gone
    if (object.uid !== ref.uid) {
      return `${called} UID (${object.uid}) does not match service account ${claim} ref claim (${ref.uid})`
    }
  }
  return undefined
}

function userOf({ jti, 'kubernetes.io': claims }: Payload): User {
  const { namespace, serviceaccount, pod, node } = claims
  const named = (what: string, value: string | undefined) =>
    value ? { [`authentication.kubernetes.io/${what}`]: [value] } : {}
  return {
    username: serviceAccountName(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: [...serviceAccountGroups(namespace), authenticated],
    extra: {
      ...named('credential-id', `JTI=${jti}`),
      ...named('node-name', node?.name),
      ...named('node-uid', node?.uid),
      ...named('pod-name', pod?.name),
      ...named('pod-uid', pod?.uid),
    },
  }
}
