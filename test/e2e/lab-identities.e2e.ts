import assert from 'node:assert/strict'
import { randomBytes, randomUUID, X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { authenticate } from '@jackstay/lab/kubernetes/access/authenticate'
import type { Lister } from '@jackstay/lab/kubernetes/access/lister'
import { reviewSelf } from '@jackstay/lab/kubernetes/access/reviews'
import { createTokenKey, tokenKey } from '@jackstay/lab/kubernetes/access/token-key'
import { reviewToken } from '@jackstay/lab/kubernetes/access/token-review'
import { requestToken, type TokenSettings } from '@jackstay/lab/kubernetes/access/tokens'
import { isStatus } from '@jackstay/lab/kubernetes/status'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { parse } from 'yaml'
import { collectionPath } from './access-objects.ts'
import { attempt, passed } from './attempt.ts'
import { agree, listerOfReal, type RealServer, realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

const namespace = `identities-${randomBytes(4).toString('hex')}`
const node = `${namespace}-node`
const meta = (name: string) => ({ name, namespace })
const pod = (name: string, fields: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: meta(name) },
  spec: {
    serviceAccountName: 'bound',
    // nobody schedules it, so nothing happens to it
    schedulerName: 'nobody',
    containers: [{ name: 'main', image: 'none' }],
    ...fields,
  },
})
const account = (name: string): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(name) },
})
const boundTo = (name: string, fields: object = {}) => ({
  boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, ...fields },
})
const objects: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
  ...['bound', 'plain', 'ends', 'comes-again'].map(account),
  ...['lives', 'ends', 'comes-again'].map((name) => pod(name)),
  pod('placed', { nodeName: node }),
]

/** Bodies of TokenRequests, by what is asked for. */
const requests: readonly (readonly [string, string, object])[] = [
  ['nothing in particular', 'plain', {}],
  ['audiences and a lifetime', 'plain', { audiences: ['a', 'b'], expirationSeconds: 700 }],
  ['a Pod', 'bound', { audiences: ['a'], ...boundTo('lives') }],
  ['a Pod on a node', 'bound', boundTo('placed')],
  ['what a kubelet asks for', 'bound', { expirationSeconds: 3607, ...boundTo('lives') }],
  [
    'the same for others',
    'bound',
    { audiences: ['a'], expirationSeconds: 3607, ...boundTo('lives') },
  ],
  ['a node', 'plain', { boundObjectRef: { kind: 'Node', apiVersion: 'v1', name: node } }],
  ['a short life', 'plain', { expirationSeconds: 599 }],
  ['a very long life', 'plain', { expirationSeconds: 2 ** 32 + 1 }],
  ['a service account that is not there', 'nobody', {}],
  ['the Pod of another', 'plain', boundTo('lives')],
  ['a Pod that is not there', 'bound', boundTo('nowhere')],
  ['a Pod of another uid', 'bound', boundTo('lives', { uid: 'other' })],
  ['a ConfigMap', 'plain', { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'c' } }],
  [
    'a Deployment',
    'plain',
    { boundObjectRef: { kind: 'Deployment', apiVersion: 'apps/v1', name: 'c' } },
  ],
]

describe('tokens and certificates in the lab, as of a real API server', {
  skip: await noCluster(),
}, () => {
  let real: RealServer
  let settings: TokenSettings

  before(async () => {
    real = await realServer()
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
    for (const object of [space, ...objects]) await make(real, object)
    const token = tokenIn(await ask(real, 'plain', {}))
    const { iss: issuer = '', aud } = decodeJwt(token)
    settings = { key: tokenKey(createTokenKey()), issuer, audiences: [aud ?? []].flat() }
  })

  after(async () => {
    await attempt(real.admin, 'DELETE', `/api/v1/nodes/${node}`)
    await attempt(real.admin, 'DELETE', `/api/v1/namespaces/${namespace}`)
  })

  const now = () => Date.now()
  const lister = (): Promise<Lister> =>
    listerOfReal(real.admin, [
      ...['serviceaccounts', 'pods'].map((plural) => `/api/v1/namespaces/${namespace}/${plural}`),
      '/api/v1/nodes',
    ])
  const asked = (name: string, body: unknown) => ({
    ...{ namespace, name, body, now: now(), tokenId: randomUUID() },
  })

  for (const [what, name, spec] of requests) {
    it(`answers a request for ${what}`, async () => {
      const ours = await requestToken(await lister(), settings, asked(name, bodyOf(spec)))
      assert.deepEqual(comparable(ours), comparable(await ask(real, name, spec)))
    })
  }

  for (const metadata of [{ name: 'other' }, { namespace: 'other' }, { uid: 'other' }]) {
    it(`refuses a request that names another ${Object.keys(metadata)}`, async () => {
      const body = { ...bodyOf({}), metadata }
      const ours = await requestToken(await lister(), settings, asked('plain', body))
      assert.deepEqual(comparable(ours), comparable(await ask(real, 'plain', {}, metadata)))
    })
  }

  /** A token of each server for the same, and how each of them answers a review of its own. */
  async function pair(name: string, spec: object): Promise<Pair> {
    const ours = await requestToken(await lister(), settings, asked(name, bodyOf(spec)))
    const theirs = await ask(real, name, spec)
    const tokens = { ours: tokenIn(ours), theirs: tokenIn(theirs) }
    return async (audiences, change = (token) => token) => {
      const review = (token: string) => ({
        ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
        spec: { token: change(token), ...(audiences && { audiences }) },
      })
      const path = '/apis/authentication.k8s.io/v1/tokenreviews'
      await agree(
        async () => (await attempt(real.admin, 'POST', path, review(tokens.theirs))).body,
        async () => reviewToken(await lister(), settings, review(tokens.ours), now()),
        comparable,
      )
    }
  }

  it('reviews a token by its audiences', async () => {
    const review = await pair('bound', { audiences: ['a', 'b'], ...boundTo('placed') })
    await review(['b', 'c'])
    await review(['c'])
    await review(undefined)
    const forServer = await pair('plain', {})
    await forServer(undefined)
    await forServer(['a'])
  })

  it('reviews no token, any text, and what was tampered with', async () => {
    const review = await pair('plain', { audiences: ['a'] })
    await review(['a'], () => '')
    await review(['a'], () => 'text')
    await review(['a'], () => 'a.b.c')
    await review(['a'], (token) => `${token.slice(0, -20)}${'A'.repeat(20)}`)
  })

  it('believes no token whose Pod or service account is gone, or is another', async () => {
    const spec = { audiences: ['a'] }
    const gonePod = await pair('bound', { ...spec, ...boundTo('ends') })
    const otherPod = await pair('bound', { ...spec, ...boundTo('comes-again') })
    const gone = await pair('ends', spec)
    const other = await pair('comes-again', spec)
    for (const name of ['ends', 'comes-again']) {
      for (const path of [`pods/${name}`, `serviceaccounts/${name}`]) {
        const query = { gracePeriodSeconds: '0' }
        const full = `/api/v1/namespaces/${namespace}/${path}`
        passed(await attempt(real.admin, 'DELETE', full, undefined, { query }))
      }
    }
    for (const object of [pod('comes-again'), account('comes-again')]) await make(real, object)
    for (const review of [gonePod, otherPod, gone, other]) await review(['a'])
  })

  it('knows a user by a client certificate', async () => {
    const owner = { name: namespace, user: 'anna:b', groups: ['blue', 'green'] }
    const kubeconfig = await real.cluster.issueKubeconfig(owner)
    const config = parse(await readFile(kubeconfig, 'utf8'))
    const data = config.users[0].user['client-certificate-data']
    const { raw } = new X509Certificate(Buffer.from(data, 'base64'))
    const subject = { CN: owner.user, O: owner.groups }
    const user = await authenticate({ certificate: { subject, raw }, isCertified: true }, nobody)
    const { body } = await attempt(
      real.clientOf(kubeconfig),
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    )
    assert.ok(!isStatus(user))
    assert.deepEqual(comparable(reviewSelf(user, now())), comparable(body))
  })

  it('answers 401 to a token that it does not believe', async () => {
    const path = `${real.cluster.directory}/${namespace}.kubeconfig`
    const tokenFile = `${real.cluster.directory}/${namespace}.token`
    await writeFile(tokenFile, 'text', { mode: 0o600 })
    const stranger = real.clientOf(await real.cluster.writeKubeconfig({ path, tokenFile }))
    const { body } = await attempt(stranger, 'GET', '/api')
    assert.deepEqual(await authenticate({ authorization: 'Bearer text' }, nobody), body)
  })
})

type Pair = (
  audiences: readonly string[] | undefined,
  change?: (token: string) => string,
) => Promise<void>

const nobody = async () => ({ error: '' })

async function make({ admin }: RealServer, object: KubeObject): Promise<void> {
  passed(await attempt(admin, 'POST', collectionPath(object), object))
}

function bodyOf(spec: object): object {
  return { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
}

async function ask(
  { admin }: RealServer,
  name: string,
  spec: object,
  metadata = {},
): Promise<unknown> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
  return (await attempt(admin, 'POST', path, { ...bodyOf(spec), metadata })).body
}

function tokenIn(answer: unknown): string {
  const status = isRecord(answer) && isRecord(answer.status) ? answer.status : {}
  assert.equal(typeof status.token, 'string', JSON.stringify(answer))
  return String(status.token)
}

/** What two servers answer alike: times as distances, and no word that is random. */
function comparable(answer: unknown): unknown {
  if (!isRecord(answer) || isStatus(answer) || !isRecord(answer.metadata)) return answer
  const { managedFields: _managed, creationTimestamp, ...metadata } = answer.metadata
  const spec = isRecord(answer.spec) ? { ...answer.spec, token: undefined } : undefined
  const status = isRecord(answer.status) ? answer.status : {}
  const { token, expirationTimestamp, ...rest } = status
  return JSON.parse(
    JSON.stringify({
      ...answer,
      metadata: { ...metadata, isDated: creationTimestamp !== undefined },
      spec,
      status: {
        ...rest,
        token: typeof token === 'string' ? claimsIn(token) : undefined,
        seconds: Date.parse(String(expirationTimestamp)) - Date.parse(String(creationTimestamp)),
      },
    }).replace(/JTI=[-0-9a-f]{36}/g, 'JTI=uuid'),
  )
}

function claimsIn(token: string): unknown {
  const { kid, ...header } = decodeProtectedHeader(token)
  const { iat = 0, nbf = 0, exp = 0, jti = '', ...claims } = decodeJwt(token)
  const own = isRecord(claims['kubernetes.io']) ? claims['kubernetes.io'] : {}
  return {
    header: { ...header, kid: kid?.length },
    claims: { ...claims, 'kubernetes.io': undefined },
    own: { ...own, warnafter: own.warnafter && Number(own.warnafter) - iat },
    lasts: [nbf - iat, exp - iat],
    jti: jti.replace(/[0-9a-f]/g, 'x'),
  }
}
