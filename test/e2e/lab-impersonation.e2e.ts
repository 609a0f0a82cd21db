import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { type Attributes, onResource } from '@jackstay/lab/kubernetes/access/attributes'
import { defaultAccess } from '@jackstay/lab/kubernetes/access/bootstrap'
import { impersonate } from '@jackstay/lab/kubernetes/access/impersonation'
import { listerOf } from '@jackstay/lab/kubernetes/access/lister-builder'
import { type Rbac, rbac } from '@jackstay/lab/kubernetes/access/rbac'
import {
  reviewAccess,
  reviewLocalAccess,
  reviewOwnAccess,
  reviewOwnRules,
  reviewSelf,
} from '@jackstay/lab/kubernetes/access/reviews'
import { grants } from '@jackstay/lab/kubernetes/access/rules'
import type { User } from '@jackstay/lab/kubernetes/objects'
import { isStatus } from '@jackstay/lab/kubernetes/status'
import { binding, collectionPath, role } from './access-objects.ts'
import { attempt, passed } from './attempt.ts'
import { agree, listerOfReal, type RealServer, realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

const namespace = `impersonation-${randomBytes(4).toString('hex')}`
const rbacPaths = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
  (plural) => `/apis/rbac.authorization.k8s.io/v1/${plural}`,
)
const may = (resource: string, ...resourceNames: string[]) => ({
  verbs: ['impersonate'],
  apiGroups: ['', 'authentication.k8s.io'],
  resources: [resource],
  resourceNames,
})
const user = (name: string) => ({ kind: 'User', name: `${namespace}-${name}` }) as const
const objects: readonly KubeObject[] = [
  role(
    namespace,
    undefined,
    may('users', 'anna', 'system:anonymous', 'system:node:n'),
    may('groups', 'blue', 'system:unauthenticated'),
    may('uids', 'uid-1'),
    may('userextras/jackstay.dev/intent', 'i-1', 'i-2'),
  ),
  binding(namespace, undefined, `ClusterRole/${namespace}`, user('may'), user('tries')),
  role('accounts', namespace, may('serviceaccounts', 'sa')),
  binding('accounts', namespace, 'Role/accounts', user('may'), user('tries')),
  role(`${namespace}-constrained`, undefined, {
    verbs: ['impersonate-on:user-info:create', 'impersonate-on:serviceaccount:create'],
    apiGroups: ['authentication.k8s.io'],
    resources: ['selfsubjectreviews'],
  }),
  role(`${namespace}-as`, undefined, {
    verbs: ['impersonate:user-info', 'impersonate:serviceaccount'],
    apiGroups: ['authentication.k8s.io'],
    resources: ['users', 'serviceaccounts', 'groups', 'userextras/*'],
  }),
  ...['constrained', 'as'].map((part) =>
    binding(`${namespace}-${part}`, undefined, `ClusterRole/${namespace}-${part}`, user('bounded')),
  ),
  binding(`${namespace}-broken`, undefined, `ClusterRole/${namespace}-nowhere`, user('broken')),
]

type Names = Readonly<Record<string, readonly string[]>>
const sa = `system:serviceaccount:${namespace}:sa`
const intent = 'impersonate-extra-jackstay.dev%2fintent'
const as = (username: string, more: Names = {}): Names => ({
  'impersonate-user': [username],
  ...more,
})

/**
 * Who `tries` never may: after a success the real server tries the way that succeeded first, and refuses
 * in the words of that one.
 */
const attempts: readonly (readonly [string, Names])[] = [
  ['may', as('anna')],
  ['may', as('anna', { 'impersonate-group': ['blue'], 'impersonate-uid': ['uid-1'] })],
  ['may', as('anna', { [intent]: ['i-1', 'i-2'] })],
  ['may', as('system:anonymous')],
  ['may', as('anna', { 'impersonate-group': ['system:unauthenticated'] })],
  ['may', as('system:node:n')],
  ['may', as(sa)],
  ['may', as(sa, { [intent]: ['i-1'] })],
  ['may', as(sa, { 'impersonate-group': ['blue'] })],
  ['tries', as('berta')],
  ['tries', as('anna', { 'impersonate-group': ['blue', 'green'] })],
  ['tries', as('system:node:other')],
  ['tries', as(`system:serviceaccount:${namespace}:other`)],
  ['tries', as('system:serviceaccount:kube-system:sa', { [intent]: ['i-1'] })],
  ['tries', as(sa, { [intent]: ['i-3'] })],
  ['tries', as(sa, { 'impersonate-extra-other': ['i-1'] })],
  ['tries', as(sa, { 'impersonate-uid': ['uid-2'] })],
  ['tries', as(sa, { 'impersonate-group': ['green'] })],
  ['tries', { 'impersonate-group': ['blue'] }],
  ['tries', { 'impersonate-extra-a%2fb': ['"x"'], 'impersonate-uid': ['1'] }],
  ['bounded', as('anna', { 'impersonate-group': ['a', 'b', 'c', 'd'] })],
  ['bounded', as('anna', { [intent]: ['any'] })],
  ['bounded', as(sa)],
  ['bounded', as('anna', { 'impersonate-group': ['system:masters'] })],
  ['bounded', as('anna', { 'impersonate-extra-plain': ['x'] })],
  ['bounded', as('anna', { 'impersonate-uid': ['uid-1'] })],
]
describe('who may ask as whom in the lab, as a real API server says', {
  skip: await noCluster(),
}, () => {
  let real: RealServer
  let rights: Rbac
  const clients = new Map<string, KubeClient>()

  before(async () => {
    real = await realServer()
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
    for (const object of [space, ...objects]) {
      passed(await attempt(real.admin, 'POST', collectionPath(object), object))
    }
    for (const name of ['may', 'tries', 'bounded']) {
      clients.set(name, await real.person(`${namespace}-${name}`))
    }
    rights = rbac(await listerOfReal(real.admin, rbacPaths))
  })

  after(async () => {
    for (const object of objects.filter(({ metadata }) => metadata.namespace === undefined)) {
      await attempt(real.admin, 'DELETE', `${collectionPath(object)}/${object.metadata.name}`)
    }
    await attempt(real.admin, 'DELETE', `/api/v1/namespaces/${namespace}`)
  })

  const asked = onResource({
    ...{ verb: 'create', group: 'authentication.k8s.io', resource: 'selfsubjectreviews' },
  })
  for (const [name, headers] of attempts) {
    it(`lets \`${name}\` ask with ${JSON.stringify(headers).replaceAll(namespace, 'ours')} or not`, async () => {
      const client = clients.get(name)
      assert.ok(client)
      await agree(
        () => whoAmI(client, headers),
        async () => {
          const who = impersonate(rights, someone(name), headers, asked)
          if (isStatus(who)) return who
          return rights.refusal(who, asked) ?? reviewSelf(who, Date.now())
        },
        undated,
      )
    })
  }

  for (const [kind, where, spec] of reviews()) {
    it(`answers a ${kind} of ${JSON.stringify(spec).replaceAll(namespace, 'ours')}`, async () => {
      const metadata = where === '' ? {} : { namespace: where }
      const body = { apiVersion: 'authorization.k8s.io/v1', kind, metadata, spec }
      const within = where === '' ? '' : `/namespaces/${where}`
      const path = `/apis/authorization.k8s.io/v1${within}/${kind.toLowerCase()}s`
      const who = someone('broken')
      await agree(
        async () => {
          const client = kind.startsWith('Self') ? real.admin.as(who) : real.admin
          return (await attempt(client, 'POST', path, body)).body
        },
        async () => answered(rights, kind, body, who, where),
        undated,
      )
    })
  }

  it('begins with roles that grant what the real ones do', async () => {
    const ours = rbac(listerOf(...defaultAccess()))
    const theirs = rbac(await listerOfReal(real.admin, rbacPaths))
    const differences = ['view', 'edit', 'admin', 'system:basic-user', 'system:discovery']
      .concat('system:public-info-viewer', 'cluster-admin')
      .flatMap((name) => servedRequests().map((request) => ({ name, request })))
      .filter(({ name, request }) => {
        const rules = [ours, theirs].map((one) =>
          one.rulesBehind({ kind: 'ClusterRole', name }, ''),
        )
        const [our, their] = rules.map((held) => held?.some((rule) => grants(rule, request)))
        return our !== their
      })
    assert.deepEqual(differences, [])
  })
})

function someone(name: string): User {
  return { username: `${namespace}-${name}`, groups: ['system:authenticated'], extra: {} }
}

async function whoAmI(client: KubeClient, headers: Names): Promise<unknown> {
  const [username] = headers['impersonate-user'] ?? []
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const request = {
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body,
  }
  if (username === undefined) {
    const single = Object.entries(headers).map(([name, values]) => [name, values.join()] as const)
    return (await client.request({ ...request, headers: Object.fromEntries(single) })).body
  }
  const [uid] = headers['impersonate-uid'] ?? []
  const extra = Object.entries(headers)
    .filter(([name]) => name.startsWith('impersonate-extra-'))
    .map(([name, values]) => [decodeURIComponent(name.slice(18)), values] as const)
  const groups = headers['impersonate-group'] ?? []
  const who = { username, groups, extra: Object.fromEntries(extra), ...(uid && { uid }) }
  return (await client.as(who).request(request)).body
}

/** Without what differs by the moment, and rules in any order: the real server keeps none. */
function undated(answer: unknown): unknown {
  if (!isRecord(answer) || isStatus(answer) || !isRecord(answer.metadata)) return answer
  const { managedFields: _managed, creationTimestamp: _created, ...metadata } = answer.metadata
  const status = isRecord(answer.status) ? answer.status : {}
  const { resourceRules, nonResourceRules, ...rest } = status
  const sorted = [resourceRules, nonResourceRules].map((rules) =>
    Array.isArray(rules) ? rules.map((rule) => JSON.stringify(rule, words)).sort() : undefined,
  )
  return { ...answer, metadata, status: { ...rest, sorted } }
}

const words = (_key: string, value: unknown) =>
  isRecord(value) ? Object.fromEntries(Object.entries(value).sort()) : value

function reviews(): (readonly [string, string, object])[] {
  const pods = { verb: 'get', resource: 'pods' }
  const broken = `${namespace}-broken`
  const metrics = { verb: 'get', path: '/metrics' }
  return [
    ['SubjectAccessReview', '', { user: broken, resourceAttributes: pods }],
    [
      'SubjectAccessReview',
      '',
      { user: 'any', groups: ['system:masters'], nonResourceAttributes: metrics },
    ],
    ['SubjectAccessReview', '', { user: 'any' }],
    ['SubjectAccessReview', '', { resourceAttributes: pods, nonResourceAttributes: metrics }],
    [
      'LocalSubjectAccessReview',
      namespace,
      { user: 'any', resourceAttributes: { ...pods, namespace } },
    ],
    ['LocalSubjectAccessReview', namespace, { user: 'any', resourceAttributes: pods }],
    ['LocalSubjectAccessReview', namespace, { user: 'any', nonResourceAttributes: metrics }],
    ['SelfSubjectAccessReview', '', { resourceAttributes: { ...pods, namespace, name: 'p' } }],
    ['SelfSubjectAccessReview', '', { nonResourceAttributes: { verb: 'get', path: '/api' } }],
    ['SelfSubjectAccessReview', '', {}],
    ['SelfSubjectRulesReview', '', { namespace }],
    ['SelfSubjectRulesReview', '', {}],
  ]
}

function answered(rights: Rbac, kind: string, body: unknown, who: User, where: string): object {
  switch (kind) {
    case 'SubjectAccessReview':
      return reviewAccess(rights, body)
    case 'LocalSubjectAccessReview':
      return reviewLocalAccess(rights, body, where)
    case 'SelfSubjectAccessReview':
      return reviewOwnAccess(rights, body, who)
    default:
      return reviewOwnRules(rights, body, who)
  }
}

/** Every verb on what the lab serves. */
function servedRequests(): Attributes[] {
  const kinds = [
    'pods pods/log pods/status pods/eviction pods/exec services configmaps secrets serviceaccounts',
    'serviceaccounts/token persistentvolumeclaims endpoints events resourcequotas resourcequotas/status',
    'limitranges namespaces namespaces/status nodes nodes/status persistentvolumes',
    'deployments.apps deployments/scale.apps deployments/status.apps replicasets.apps',
    'replicasets/scale.apps statefulsets.apps statefulsets/scale.apps daemonsets.apps',
    'controllerrevisions.apps jobs.batch jobs/status.batch cronjobs.batch',
    'horizontalpodautoscalers.autoscaling horizontalpodautoscalers/status.autoscaling',
    'poddisruptionbudgets.policy networkpolicies.networking.k8s.io endpointslices.discovery.k8s.io',
    'leases.coordination.k8s.io events.events.k8s.io roles.rbac.authorization.k8s.io',
    'rolebindings.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io',
    'customresourcedefinitions.apiextensions.k8s.io storageclasses.storage.k8s.io',
    'validatingadmissionpolicies.admissionregistration.k8s.io tokenreviews.authentication.k8s.io',
    'selfsubjectreviews.authentication.k8s.io selfsubjectaccessreviews.authorization.k8s.io',
    'subjectaccessreviews.authorization.k8s.io localsubjectaccessreviews.authorization.k8s.io',
  ].flatMap((line) => line.split(' '))
  const verbs = 'get list watch create update patch delete deletecollection impersonate bind'
  const paths = ['/api', '/api/v1', '/apis/x', '/version', '/healthz', '/metrics', '/openapi/v3']
  return [
    ...paths.map((path) => ({ verb: 'get', path })),
    ...kinds.flatMap((kind) => {
      const [, plural = '', subresource = '', group = ''] =
        /^([^/.]+)(?:\/([^.]+))?(?:\.(.+))?$/.exec(kind) ?? []
      return verbs
        .split(' ')
        .map((verb) => onResource({ verb, group, resource: plural, subresource }))
    }),
  ]
}
