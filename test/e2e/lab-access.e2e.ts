import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { KubeClient } from '@jackstay/kube/client'
import { isRecord, type KubeObject } from '@jackstay/kube/resources'
import { type Attributes, onResource } from '@jackstay/lab/kubernetes/access/attributes'
import { bindingEscalation, roleEscalation } from '@jackstay/lab/kubernetes/access/escalation'
import { type Rbac, rbac } from '@jackstay/lab/kubernetes/access/rbac'
import type { User } from '@jackstay/lab/kubernetes/objects'
import { binding, collectionPath, role } from './access-objects.ts'
import { attempt, passed, until } from './attempt.ts'
import { listerOfReal, type RealServer, realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

const id = `access-${randomBytes(4).toString('hex')}`
const namespace = id
const rbacPath = '/apis/rbac.authorization.k8s.io/v1'
const rbacPaths = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
  (plural) => `${rbacPath}/${plural}`,
)
const someone = (username: string, ...groups: string[]): User => ({
  username: `${id}-${username}`,
  groups: [...groups, 'system:authenticated'],
  extra: {},
})
const user = (name: string) => ({ kind: 'User', name: `${id}-${name}` }) as const

const objects: readonly KubeObject[] = [
  role(
    `${id}-writer`,
    undefined,
    { verbs: ['create', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'] },
    { verbs: ['get', 'list'], apiGroups: ['', 'apps'], resources: ['pods', '*/status'] },
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['one'] },
    { verbs: ['get'], nonResourceURLs: ['/debug/*'] },
  ),
  role(`${id}-escalator`, undefined, {
    verbs: ['escalate', 'bind'],
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'clusterroles'],
    resourceNames: [`${id}-all-pods`],
  }),
  binding(`${id}-writer`, undefined, `ClusterRole/${id}-writer`, user('writer'), user('escalator')),
  binding(`${id}-escalator`, undefined, `ClusterRole/${id}-escalator`, user('escalator')),
  role(`${id}-all-pods`, undefined, { verbs: ['*'], apiGroups: [''], resources: ['pods'] }),
  role(
    `${id}-subs`,
    undefined,
    { verbs: ['get'], apiGroups: ['*'], resources: ['*/status', 'pods/log'] },
    { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a', 'b'] },
    { verbs: ['get'], nonResourceURLs: ['/metrics', '/debug/*'] },
  ),
  role('reader', namespace, { verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] }),
  binding(`${id}-wide`, undefined, `ClusterRole/${id}-all-pods`, user('wide')),
  binding(`${id}-subs`, undefined, `ClusterRole/${id}-subs`, {
    kind: 'Group',
    name: `${id}-group`,
  }),
  binding('local-cluster-role', namespace, `ClusterRole/${id}-all-pods`, user('local')),
  binding('reader', namespace, 'Role/reader', { kind: 'ServiceAccount', name: 'sa', namespace }),
  binding('broken', namespace, 'Role/nowhere', user('broken')),
  binding(`${id}-broken`, undefined, `ClusterRole/${id}-nowhere`, user('broken')),
]

/** Each judged by both servers. */
const requests: readonly (readonly [User, Attributes])[] = [
  [someone('nobody'), onResource({ verb: 'get', resource: 'pods', namespace })],
  [someone('nobody', 'system:masters'), onResource({ verb: 'any', resource: 'what', group: 'x' })],
  [someone('nobody'), { verb: 'get', path: '/api' }],
  [someone('wide'), onResource({ verb: 'delete', resource: 'pods', name: 'p' })],
  [someone('wide'), onResource({ verb: 'delete', resource: 'pods', namespace: 'elsewhere' })],
  [someone('wide'), onResource({ verb: 'get', resource: 'pods', subresource: 'log' })],
  [someone('wide'), onResource({ verb: 'get', resource: 'pods', group: 'metrics.k8s.io' })],
  [someone('local'), onResource({ verb: 'list', resource: 'pods', namespace })],
  [someone('local'), onResource({ verb: 'list', resource: 'pods', namespace: 'default' })],
  [someone('local'), onResource({ verb: 'list', resource: 'pods' })],
  [
    someone('x', `${id}-group`),
    onResource({ verb: 'get', resource: 'any', subresource: 'status' }),
  ],
  [someone('x', `${id}-group`), onResource({ verb: 'get', resource: 'pods', subresource: 'log' })],
  [someone('x', `${id}-group`), onResource({ verb: 'get', resource: 'pods', subresource: 'exec' })],
  ...['a', 'c', ''].map(
    (name) =>
      [
        someone('x', `${id}-group`),
        onResource({ verb: 'get', resource: 'deployments', group: 'apps', namespace, name }),
      ] as const,
  ),
  ...['/metrics', '/metrics/', '/debug/', '/debug/pprof', '/debug'].map(
    (path) => [someone('x', `${id}-group`), { verb: 'get', path }] as const,
  ),
  [someone('broken'), onResource({ verb: 'get', resource: 'pods', namespace })],
  [someone('broken'), onResource({ verb: 'get', resource: 'pods' })],
  ...[namespace, 'default'].map(
    (where) =>
      [
        {
          username: `system:serviceaccount:${namespace}:sa`,
          groups: ['system:serviceaccounts', 'system:authenticated'],
          extra: {},
        },
        onResource({ verb: 'get', resource: 'configmaps', namespace: where, name: 'c' }),
      ] as const,
  ),
]

describe('who may do what in the lab, as a real API server says', {
  skip: await noCluster(),
}, () => {
  let real: RealServer
  let rights: Rbac

  before(async () => {
    real = await realServer()
    const { admin } = real
    await make(admin, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    for (const object of objects) await make(admin, object)
    rights = rbac(await listerOfReal(admin, rbacPaths))
    // what the server's own watches have not seen yet is no difference
    await until('the real server judges by the new bindings', async () => {
      const decisions = requests.map(async ([who, asked]) => {
        return isDeepStrictEqual(await review(admin, who, asked), rights.decide(who, asked))
      })
      return (await Promise.all(decisions)).every(Boolean)
    }).catch(() => undefined)
  })

  after(async () => {
    const wide = objects.filter(({ metadata }) => metadata.namespace === undefined)
    for (const object of wide) {
      await attempt(real.admin, 'DELETE', `${collectionPath(object)}/${object.metadata.name}`)
    }
    await attempt(real.admin, 'DELETE', `/api/v1/namespaces/${namespace}`)
  })

  for (const [who, asked] of requests) {
    it(`decides ${describeRequest(who.username, asked)}`, async () => {
      assert.deepEqual(rights.decide(who, asked), await review(real.admin, who, asked))
    })
  }

  for (const [method, path, who, asked] of refusals()) {
    it(`words the 403 of ${method} ${path}`, async () => {
      const { body } = await attempt(
        real.admin.as(who),
        method,
        path,
        method === 'POST' ? {} : undefined,
      )
      assert.deepEqual(rights.refusal(who, asked), body)
    })
  }
  for (const [what, who, object, method] of writes()) {
    it(`lets ${who.username.replace(`${id}-`, '')} write ${what} or not`, async () => {
      const { name = '', namespace: within = '' } = object.metadata
      const path = `${collectionPath(object)}${method === 'PUT' ? `/${name}` : ''}`
      const answer = await attempt(real.admin.as(who), method, path, object, { dryRun: true })
      const judge = object.kind?.endsWith('Binding') ? bindingEscalation : roleEscalation
      const write = { user: who, namespace: within, name: method === 'PUT' ? name : '', object }
      assert.deepEqual(
        judge(rights, write) ?? 'written',
        answer.status < 300 ? 'written' : answer.body,
      )
    })
  }
})

type Write = readonly [string, User, KubeObject, 'POST' | 'PUT']

function writes(): Write[] {
  const writer = someone('writer')
  const wide = (...rules: Parameters<typeof role>[2][]) => role(`${id}-new`, undefined, ...rules)
  const pods = { apiGroups: [''], resources: ['pods'] }
  const everything = [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ]
  const selectors = [{ matchLabels: { a: 'b' } }]
  const aggregationRule = { clusterRoleSelectors: selectors }
  const ofWide: Write[] = [
    ['what they hold', writer, wide({ verbs: ['get', 'list'], ...pods }), 'POST'],
    ['another verb', writer, wide({ verbs: ['get', 'delete', 'watch'], ...pods }), 'POST'],
    [
      'a subresource they hold',
      writer,
      wide({ verbs: ['get'], apiGroups: ['apps'], resources: ['deployments/status'] }),
      'POST',
    ],
    ['everything', writer, wide(...everything), 'POST'],
    [
      'names',
      writer,
      wide({
        verbs: ['get'],
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: ['one', 'two'],
      }),
      'POST',
    ],
    [
      'a name less',
      writer,
      wide({ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }),
      'POST',
    ],
    ['paths', writer, wide({ verbs: ['get', 'put'], nonResourceURLs: ['/debug/x', '/x'] }), 'POST'],
    ['an aggregation', writer, { ...wide(), aggregationRule }, 'POST'],
    [
      'everything',
      someone('nobody', 'system:masters'),
      { ...wide(...everything), aggregationRule },
      'POST',
    ],
    ['a new role', someone('escalator'), wide(...everything), 'POST'],
    [
      'the role they may escalate',
      someone('escalator'),
      role(`${id}-all-pods`, undefined, ...everything),
      'PUT',
    ],
  ]
  return [
    ...ofWide,
    ['a local role', writer, role('new', namespace, { verbs: ['get', 'create'], ...pods }), 'POST'],
    [
      'a binding to more',
      writer,
      binding('new', namespace, `ClusterRole/${id}-all-pods`, user('x')),
      'POST',
    ],
    [
      'a wide binding to more',
      writer,
      binding(`${id}-new`, undefined, `ClusterRole/${id}-all-pods`, user('x')),
      'POST',
    ],
    [
      'a binding to as much',
      writer,
      binding('new', namespace, `ClusterRole/${id}-writer`, user('x')),
      'POST',
    ],
    ['a binding to nothing', writer, binding('new', namespace, 'Role/nowhere', user('x')), 'POST'],
    [
      'a binding they may bind',
      someone('escalator'),
      binding('new', namespace, `ClusterRole/${id}-all-pods`, user('x')),
      'POST',
    ],
  ]
}

async function make(admin: KubeClient, object: KubeObject): Promise<void> {
  passed(await attempt(admin, 'POST', collectionPath(object), object))
}

async function review(
  admin: KubeClient,
  { username, groups }: User,
  asked: Attributes,
): Promise<{ allowed: boolean; reason: string }> {
  const answer = await attempt(
    admin,
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: username,
        groups,
        [`${'path' in asked ? 'nonR' : 'r'}esourceAttributes`]: asked,
      },
    },
  )
  passed(answer)
  const status = isRecord(answer.body) && isRecord(answer.body.status) ? answer.body.status : {}
  return { allowed: status.allowed === true, reason: String(status.reason ?? '') }
}

function describeRequest(username: string, asked: Attributes): string {
  const parts =
    'path' in asked
      ? [asked.path]
      : [asked.namespace, asked.group, asked.resource, asked.subresource, asked.name]
  return [
    username.replace(`${id}-`, ''),
    asked.verb,
    ...parts.map((part) => part.replace(id, 'ours')),
  ].join(' ')
}

type Method = 'DELETE' | 'GET' | 'POST'

function refusals(): (readonly [Method, string, User, Attributes])[] {
  const nobody = someone('nobody')
  return [
    ['GET', '/api/v1/pods', nobody, onResource({ verb: 'list', resource: 'pods' })],
    [
      'GET',
      '/apis/apps/v1/namespaces/default/deployments/x',
      nobody,
      onResource({
        verb: 'get',
        group: 'apps',
        resource: 'deployments',
        namespace: 'default',
        name: 'x',
      }),
    ],
    [
      'GET',
      '/api/v1/namespaces/default/pods/x/log',
      nobody,
      onResource({
        verb: 'get',
        resource: 'pods',
        subresource: 'log',
        namespace: 'default',
        name: 'x',
      }),
    ],
    [
      'DELETE',
      '/api/v1/namespaces/default/pods',
      nobody,
      onResource({ verb: 'deletecollection', resource: 'pods', namespace: 'default' }),
    ],
    ['GET', '/metrics', nobody, { verb: 'get', path: '/metrics' }],
    ['POST', '/nowhere', someone('<b>&"'), { verb: 'post', path: '/nowhere' }],
    ['GET', '/api/v1/nodes', someone('broken'), onResource({ verb: 'list', resource: 'nodes' })],
    [
      'GET',
      `/api/v1/namespaces/${namespace}/pods`,
      someone('broken'),
      onResource({ verb: 'list', resource: 'pods', namespace }),
    ],
  ]
}
