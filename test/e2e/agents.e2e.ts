import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { audiences } from '@jackstay/contract/enrolment'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { configFor } from '@jackstay/kube/config'
import { type Answer, attempt, passed, refusedBy, until } from './attempt.ts'
import { apply, bindingOf, boundAnyway, type Governed, governed } from './governed.ts'
import { clusterPath, suspensionOf } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'

const policy = 'jackstay-agents-write-nothing'
const rbac = '/apis/rbac.authorization.k8s.io/v1'

describe('agents, with every program of Jackstay dead', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let agent: KubeClient
  let wide: string
  before(async () => {
    w = await world()
    g = await governed(w)
    wide = `e2e-agent-${g.class}`
    const account = { namespace: g.namespace, name: g.agent }
    await apply(w, [secretOf(g), podOf(g)])
    // more than anybody should ever give, and more than once
    await boundAnyway(w, [
      bindingOf(wide, 'cluster-admin', account),
      bindingOf('e2e-agent-admin', 'cluster-admin', account, g.target),
    ])
    agent = (await w.serviceAccount(g.namespace, g.agent)).client
    await until('the binding of the agent works', async () => {
      return (await attempt(agent, 'GET', '/api/v1/namespaces')).status === 200
    })
  })

  after(async () => {
    passed(await attempt(w.admin, 'DELETE', `${rbac}/clusterrolebindings/${wide}`))
  })

  it('holds tokens that the API server does not accept (invariant 1)', async () => {
    for (const audience of Object.values(audiences)) {
      const { token } = await w.admin.createToken(g.namespace, g.agent, {
        audiences: [audience],
        expirationSeconds: 600,
      })
      const client = connect(
        configFor(w.cluster.server, {
          token,
          caData: Buffer.from(w.cluster.caPem).toString('base64'),
        }),
        { userAgent: 'jackstay-e2e' },
      )
      for (const path of ['/api/v1/namespaces', `/api/v1/namespaces/${g.target}/pods`, '/apis']) {
        assert.equal((await attempt(client, 'GET', path)).status, 401, `${audience} on ${path}`)
      }
      const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
      const written = await attempt(client, 'POST', core(g, 'configmaps'), configMap)
      assert.equal(written.status, 401)
      await client.close()
    }
  })

  it('writes nothing with a real credential and a cluster-admin binding (invariant 1)', async () => {
    const one = suspensionOf({ class: `nobody-${g.class}` })
    passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
    const path = `${clusterPath('suspensions')}/${one.metadata.name}`
    for (const [name, attack] of Object.entries(attacks(g))) {
      const { status, message } = await attack(agent)
      assert.ok(status === 403 || status === 422, `${name} was answered ${status}: ${message}`)
      // some attacks meet another policy of ours as well, and the server names but one
      assert.match(message, /'jackstay-/, name)
    }
    passed(await attempt(w.admin, 'DELETE', path))
  })

  it('is refused on dry-run too, so nothing can be probed', async () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
    const options = { dryRun: true }
    refusedBy(policy, await attempt(agent, 'POST', core(g, 'configmaps'), configMap, options))
  })

  it('is an agent by its name alone, whatever groups it claims (T85)', async () => {
    const username = `system:serviceaccount:${g.namespace}:${g.agent}`
    const masters = w.admin.as({ username, groups: ['system:masters'] })
    const grouped = w.admin.as({
      username: 'someone',
      groups: ['system:masters', `system:serviceaccounts:${g.namespace}`],
    })
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
    for (const client of [masters, grouped]) {
      refusedBy(policy, await attempt(client, 'POST', core(g, 'configmaps'), configMap))
    }
  })

  it('becomes nobody else: no right of an agent lets it impersonate (T85)', async () => {
    // not the one above, which holds more than anybody should give
    const other = await governed(w)
    const { client } = await w.serviceAccount(other.namespace, other.agent)
    await until(
      'its reads work',
      async () => (await attempt(client, 'GET', pods(other))).status === 200,
    )
    const executor = `system:serviceaccount:jackstay-executors:${other.class}`
    for (const target of [
      { username: 'oncall-1', groups: ['system:masters'] },
      { username: executor, extra: other.extra },
      { username: 'system:serviceaccount:jackstay-system:jackstay-mediator' },
      { username: `system:serviceaccount:${other.namespace}:default` },
      { username: 'system:node:none', groups: ['system:nodes'] },
    ]) {
      const { status, message } = await attempt(client.as(target), 'GET', pods(other))
      assert.equal(status, 403, message)
      assert.match(message, /cannot impersonate/, target.username)
    }
  })

  it('never touches a neighbour whose namespace only looks alike', async () => {
    const bot = w.admin.as({
      username: 'system:serviceaccount:not-jackstay-class-x:bot',
      groups: ['system:masters'],
    })
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'neighbour' } }
    passed(await attempt(bot, 'POST', core(g, 'configmaps'), configMap, { dryRun: true }))
  })
})

const pods = ({ target }: Governed) => `/api/v1/namespaces/${target}/pods`
const core = (g: Governed, rest: string) => `/api/v1/namespaces/${g.target}/${rest}`

type Attack = (agent: KubeClient) => Promise<Answer>

/** Every way to change something that admission policies see (T36, T41, T43). */
function attacks(g: Governed): Record<string, Attack> {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'victim' } }
  const token = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'victim' },
    target: { kind: 'Node', name: 'none' },
  }
  const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
  const jackstay = '/apis/jackstay.dev/v1alpha1'
  return {
    create: (c) => attempt(c, 'POST', core(g, 'configmaps'), configMap),
    patch: (c) => attempt(c, 'PATCH', g.deployment, { spec: { replicas: 5 } }),
    apply: (c) => attempt(c, 'PATCH', g.deployment, deploymentApply(g), serverSide),
    delete: (c) => attempt(c, 'DELETE', g.deployment),
    deletecollection: (c) => attempt(c, 'DELETE', core(g, 'secrets')),
    scale: (c) => attempt(c, 'PATCH', `${g.deployment}/scale`, { spec: { replicas: 5 } }),
    status: (c) => attempt(c, 'PATCH', `${g.deployment}/status`, { status: { replicas: 5 } }),
    eviction: (c) => attempt(c, 'POST', core(g, 'pods/victim/eviction'), eviction),
    binding: (c) => attempt(c, 'POST', core(g, 'pods/victim/binding'), binding),
    exec: (c) => attempt(c, 'GET', core(g, 'pods/victim/exec?command=id&stdout=true')),
    attach: (c) => attempt(c, 'GET', core(g, 'pods/victim/attach?stdout=true')),
    portforward: (c) => attempt(c, 'GET', core(g, 'pods/victim/portforward?ports=80')),
    'pod proxy': (c) => attempt(c, 'GET', core(g, 'pods/victim/proxy/')),
    'service proxy': (c) =>
      attempt(c, 'GET', '/api/v1/namespaces/default/services/https:kubernetes:443/proxy/'),
    ephemeralcontainers: (c) =>
      attempt(c, 'PATCH', core(g, 'pods/victim/ephemeralcontainers'), debugContainer, strategic),
    'own token': (c) =>
      attempt(
        c,
        'POST',
        `/api/v1/namespaces/${g.namespace}/serviceaccounts/${g.agent}/token`,
        token,
      ),
    'executor token': (c) =>
      attempt(
        c,
        'POST',
        `/api/v1/namespaces/jackstay-executors/serviceaccounts/${g.class}/token`,
        token,
      ),
    event: (c) =>
      attempt(c, 'POST', core(g, 'events'), {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'x' },
        involvedObject: { namespace: g.target },
      }),
    lease: (c) =>
      attempt(c, 'POST', `/apis/coordination.k8s.io/v1/namespaces/${g.target}/leases`, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'x' },
      }),
    'webhook configuration': (c) =>
      attempt(c, 'POST', hooks, {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: `x-${randomUUID()}` },
      }),
    'own role binding': (c) =>
      attempt(c, 'POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${g.target}/rolebindings`, {
        ...bindingOf('more', 'admin', { namespace: g.namespace, name: g.agent }, g.target),
      }),
    'namespace label': (c) =>
      attempt(c, 'PATCH', `/api/v1/namespaces/${g.target}`, { metadata: { labels: { a: 'b' } } }),
    'a Suspension gone': (c) => attempt(c, 'DELETE', `${jackstay}/suspensions`),
    'a policy of its own': (c) =>
      attempt(c, 'POST', `${jackstay}/actionpolicies`, {
        apiVersion: 'jackstay.dev/v1alpha1',
        kind: 'ActionPolicy',
        metadata: { name: 'mine' },
        spec: {
          mode: 'enforce',
          actions: ['*'],
          rules: [{ name: 'yes', allow: { when: 'true' } }],
        },
      }),
    'an Intent of its own': (c) =>
      attempt(c, 'POST', `${jackstay}/namespaces/${g.target}/intents`, {
        apiVersion: 'jackstay.dev/v1alpha1',
        kind: 'Intent',
        metadata: { name: 'mine' },
        spec: { agent: 'a/b', action: 'workload.scale', target: 'Deployment a/b', jws: 'x' },
      }),
  }
}

const serverSide = {
  contentType: 'application/apply-patch+yaml',
  query: { fieldManager: 'agent', force: 'true' },
}
const strategic = { contentType: 'application/strategic-merge-patch+json' }

function deploymentApply({ target }: Governed) {
  const metadata = { name: 'api', namespace: target }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 5 } }
}

const debugContainer = {
  spec: { ephemeralContainers: [{ name: 'debug', image: 'jackstay.local/none:1' }] },
}

function podOf({ target }: Governed) {
  const container = { name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'victim', namespace: target },
    spec: { schedulingGates: [{ name: 'example.org/never' }], containers: [container] },
  }
}

function secretOf({ target }: Governed) {
  const metadata = { name: 'kept', namespace: target }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: 'value' } }
}
