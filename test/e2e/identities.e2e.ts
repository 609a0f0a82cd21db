import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { isRecord } from '@jackstay/kube/resources'
import { z } from 'zod'
import { attempt, passed, refused, refusedBy } from './attempt.ts'
import { deploymentOf, type Governed, governed } from './governed.ts'
import { noCluster, type Person, type World, world } from './world.ts'

const executors = 'jackstay-executors'
const registration = '/apis/admissionregistration.k8s.io/v1'
const byRights = /cannot \w+ resource/

/** All that the chart lets each program change, per namespace asked about; reads are not listed. */
const changes: readonly { program: string; namespace: string; may: readonly string[] }[] = [
  ...['default', 'kube-system', 'jackstay-system'].map((namespace) => ({
    program: 'jackstay-mediator',
    namespace,
    // Events about what belongs to no namespace stand in `default`
    may: [...mediatorMay(), ...(namespace === 'default' ? ['create events.events.k8s.io'] : [])],
  })),
  {
    program: 'jackstay-mediator',
    namespace: executors,
    may: [...mediatorMay(), 'impersonate serviceaccounts'],
  },
  ...['default', 'kube-system', 'jackstay-system', executors].flatMap((namespace) => [
    {
      program: 'jackstay-registrar',
      namespace,
      may: [
        'create agentkeys.jackstay.dev',
        'create tokenreviews.authentication.k8s.io',
        'patch agentkeys/status.jackstay.dev',
      ],
    },
    {
      program: 'jackstay-kubernetes-read',
      namespace,
      may: ['create tokenreviews.authentication.k8s.io'],
    },
  ]),
]

function mediatorMay(): string[] {
  return [
    'create intents.jackstay.dev',
    'create suspensions.jackstay.dev',
    'create tokenreviews.authentication.k8s.io',
    'delete approvals.jackstay.dev',
    'delete intents.jackstay.dev',
    'impersonate userextras/jackstay.dev/action.authentication.k8s.io',
    'impersonate userextras/jackstay.dev/agent.authentication.k8s.io',
    'impersonate userextras/jackstay.dev/intent.authentication.k8s.io',
    'impersonate userextras/jackstay.dev/phase.authentication.k8s.io',
    'patch actionpolicies/status.jackstay.dev',
    'patch agentclasses/status.jackstay.dev',
    'patch changewindows/status.jackstay.dev',
    'patch intents.jackstay.dev',
    'patch intents/status.jackstay.dev',
  ]
}

describe('the identities of Jackstay’s own programs', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let mediator: Person
  before(async () => {
    w = await world()
    g = await governed(w)
    mediator = await w.serviceAccount('jackstay-system', 'jackstay-mediator')
  })

  for (const { program, namespace, may } of changes) {
    it(`${program} changes no more than it needs in ${namespace} (T34, T35, T41, T79)`, async () => {
      const { client } = await w.serviceAccount('jackstay-system', program)
      const rules = await rightsOf(client, namespace)
      assert.deepEqual(rules.filter(isChange), may.toSorted())
      assert.ok(!rules.some((right) => /\bsecrets|\*/.test(right)), 'no Secrets, no wildcards')
    })
  }

  it('the mediator writes no workload in its own name', async () => {
    const { client } = mediator
    const body = { spec: { replicas: 9 } }
    for (const path of [g.deployment, `${g.deployment}/scale`]) {
      refused(await attempt(client, 'PATCH', path, body), 403, byRights)
    }
    refused(await attempt(client, 'DELETE', g.deployment), 403, byRights)
    const more = deploymentOf(g.target, 'more', 0)
    refused(await attempt(client, 'POST', g.path(g.target), more), 403, byRights)
  })

  it('the mediator becomes executors and nobody else (T85)', async () => {
    const { client } = mediator
    const account = (namespace: string, name: string) =>
      `system:serviceaccount:${namespace}:${name}`
    const executor = account(executors, g.class)
    const others = [
      { username: 'oncall-1' },
      { username: 'system:kube-controller-manager' },
      { username: account('kube-system', 'generic-garbage-collector') },
      { username: account('jackstay-system', 'jackstay-registrar') },
      { username: account(g.namespace, g.agent) },
      { username: account('default', 'default') },
      { username: executor, groups: ['system:masters'] },
      { username: executor, uid: '00000000-0000-4000-8000-000000000000' },
      { username: executor, extra: { ...g.extra, 'example.org/other': ['x'] } },
    ]
    for (const who of others) {
      const answer = await attempt(client.as(who), 'GET', '/api/v1/namespaces')
      refused(answer, 403, /cannot impersonate/)
    }
    passed(await g.patch({ spec: { replicas: 1 } }, { dryRun: true }))
  })

  it('no program writes admission configuration (T41, T78)', async () => {
    const binding = `${registration}/validatingadmissionpolicybindings/jackstay-suspended-by-label`
    const policy = `${registration}/validatingadmissionpolicies/jackstay-suspended-by-label`
    const metadata = { name: 'x' }
    for (const program of new Set(changes.map((one) => one.program))) {
      const { client } = await w.serviceAccount('jackstay-system', program)
      for (const path of [binding, policy]) {
        refused(await attempt(client, 'DELETE', path), 403, byRights)
        refused(await attempt(client, 'PATCH', path, { metadata: { labels: {} } }), 403, byRights)
      }
      const kind = 'ValidatingWebhookConfiguration'
      const hook = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata }
      const path = `${registration}/validatingwebhookconfigurations`
      refused(await attempt(client, 'POST', path, hook), 403, byRights)
    }
  })

  it('nothing that could use an executor is made beside it (T35)', async () => {
    const container = { name: 'none', image: 'jackstay.local/none:1' }
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } }
    const pod = { ...template.spec, serviceAccountName: g.class }
    const metadata = { name: 'x', namespace: executors }
    const job = { template: { spec: { ...pod, restartPolicy: 'Never' } } }
    const core = `/api/v1/namespaces/${executors}`
    const cases = [
      [`${core}/pods`, { apiVersion: 'v1', kind: 'Pod', metadata, spec: pod }],
      [`${core}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata }],
      [
        `${core}/serviceaccounts/${g.class}/token`,
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      ],
      [g.path(executors), { ...deploymentOf(executors, 'x', 0) }],
      [
        `/apis/batch/v1/namespaces/${executors}/jobs`,
        { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: job },
      ],
    ] as const
    for (const [path, object] of cases) {
      refusedBy('jackstay-executors-namespace', await attempt(w.admin, 'POST', path, object))
    }
  })
})

const review = z.object({
  status: z.object({
    incomplete: z.boolean(),
    resourceRules: z.array(
      z.object({
        verbs: z.array(z.string()),
        apiGroups: z.array(z.string()),
        resources: z.array(z.string()),
      }),
    ),
  }),
})

/** What `kubectl auth can-i --list` shows, as `verb resource.group`, without what everybody may. */
async function rightsOf(client: Person['client'], namespace: string): Promise<string[]> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace },
  }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'
  const answer = await attempt(client, 'POST', path, body)
  passed(answer)
  assert.ok(isRecord(answer.body))
  const { resourceRules } = review.parse(answer.body).status
  const rights = resourceRules.flatMap(({ verbs, apiGroups, resources }) =>
    verbs.flatMap((verb) =>
      apiGroups.flatMap((group) =>
        resources.map((resource) => `${verb} ${[resource, group].filter(Boolean).join('.')}`),
      ),
    ),
  )
  return [...new Set(rights)].filter((right) => !/create self\w+reviews\./.test(right)).toSorted()
}

const isChange = (right: string) => !/^(get|list|watch) /.test(right)
