import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { chart } from '@jackstay/lab/install'
import { z } from 'zod'
import { attempt, passed, until } from './attempt.ts'
import { jackstay } from './cli-desk.ts'
import { apply, bindingOf, boundAnyway, type Governed, governed } from './governed.ts'
import { agentClassOf, clusterPath } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'

const admission = '/apis/admissionregistration.k8s.io/v1'
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const answer = z.object({
  objects: z.number(),
  findings: z.array(z.object({ severity: z.string(), what: z.string(), next: z.string() })),
})

describe('jackstay doctor on a real API server', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })
  // whatever failed: the chart stands, and nobody holds more
  after(async () => {
    if (w === undefined) return
    const again = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=jackstay-install',
    ]
    for (const part of ['policies', 'roles']) await w.kubectl([...again, '-f', `${chart}${part}`])
    await w.kubectl(['delete', 'clusterrolebinding', `doctor-${g.class}`, '--ignore-not-found'])
    await w.kubectl(['-n', g.target, 'delete', 'rolebinding', 'wide', '--ignore-not-found'])
    const name = `doctor-become-${g.class}`
    const all = ['role,rolebinding,clusterrole,clusterrolebinding', name, '--ignore-not-found']
    await w.kubectl(['-n', 'jackstay-executors', 'delete', ...all])
  })

  async function findings(kubeconfig = w.cluster.kubeconfig) {
    const { exit, out } = await jackstay(['doctor', '-o', 'json'], { kubeconfig })
    return { exit, ...answer.parse(JSON.parse(out)) }
  }
  /** Of the chart's own objects; what other suites left behind is not looked at. */
  const isOfChart = ({ next }: { readonly next: string }) => next.includes('charts/jackstay/')
  const ofChart = async () => (await findings()).findings.filter(isOfChart)

  it('finds the chart as it was installed', async () => {
    const { objects, findings: all } = await findings()
    assert.deepEqual(all.filter(isOfChart), [])
    assert.ok(objects > 60)
  })

  it('finds a policy that sees less, one that is not bound, a role that grew, and what mends each', async () => {
    const policy = `${admission}/validatingadmissionpolicies/jackstay-intents-written`
    const matchConstraints = { objectSelector: { matchLabels: { 'example.org/x': 'y' } } }
    passed(await attempt(w.admin, 'PATCH', policy, { spec: { matchConstraints } }))
    const bound = `${admission}/validatingadmissionpolicybindings/jackstay-agentkeys-written`
    passed(await attempt(w.admin, 'DELETE', bound))
    const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] }]
    const role = `${rbac}/clusterroles/jackstay-action-workload-scale`
    passed(await attempt(w.admin, 'PATCH', role, { rules }))
    const found = await ofChart()
    assert.deepEqual(
      found.map(({ what }) => what.replace(/(missing|objectSelector|rules).*/, '$1')),
      [
        'ClusterRole jackstay-action-workload-scale is not what the chart says: rules',
        'ValidatingAdmissionPolicy jackstay-intents-written is not what the chart says: spec.matchConstraints.objectSelector',
        'ValidatingAdmissionPolicyBinding jackstay-agentkeys-written is missing',
      ],
    )
    for (const { next } of found) {
      const line = next.replace('charts/jackstay/', chart).split(' ').slice(1)
      const { code, stderr } = await w.kubectl(line)
      assert.equal(code, 0, stderr)
    }
    assert.deepEqual(await ofChart(), [])
  })

  it('finds agents and executors that hold more, a class nobody looks at, a stop (T85)', async () => {
    const agent = { namespace: g.namespace, name: g.agent }
    const executor = { namespace: 'jackstay-executors', name: g.class }
    await boundAnyway(w, [bindingOf('wide', 'edit', agent, g.target)])
    await apply(w, [bindingOf(`doctor-${g.class}`, 'view', executor)])
    const mine = agentClassOf({ namespace: g.namespace })
    passed(await attempt(w.admin, 'POST', clusterPath('agentclasses'), mine))
    const at = `/api/v1/namespaces/${g.target}`
    const stop = (value: string | null) => ({
      metadata: { labels: { 'jackstay.dev/suspended': value } },
    })
    passed(await attempt(w.admin, 'PATCH', at, stop('')))
    const { exit, findings: all } = await findings()
    passed(await attempt(w.admin, 'PATCH', at, stop(null)))
    passed(await attempt(w.admin, 'DELETE', `${clusterPath('agentclasses')}/${mine.metadata.name}`))
    assert.equal(exit, 1)
    for (const says of [
      `wrong the RoleBinding ${g.target}/wide gives agents of \`${g.namespace}\` the ClusterRole \`edit\``,
      `wrong the ClusterRoleBinding doctor-${g.class} gives the executor \`${g.class}\` the ClusterRole \`view\``,
      `wrong AgentClass ${mine.metadata.name}: no mediator has looked at it`,
      `note the namespace ${g.target} is stopped by the label`,
    ]) {
      assert.ok(
        all.some(({ severity, what }) => `${severity} ${what}`.startsWith(says)),
        `${says} is not among ${JSON.stringify(all, null, 1)}`,
      )
    }
  })

  it('finds who may write as an executor, which the API server lets them indeed (T34, T85)', async () => {
    const who = { namespace: g.target, name: 'tool' }
    const rule = (apiGroup: string, resources: string[]) => ({
      ...{ apiGroups: [apiGroup], resources, verbs: ['impersonate'] },
    })
    const extras = ['intent', 'agent', 'action'].map((key) => `userextras/jackstay.dev/${key}`)
    const name = `doctor-become-${g.class}`
    const roles = [
      {
        ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
        metadata: { name, namespace: 'jackstay-executors' },
        rules: [rule('', ['serviceaccounts'])],
      },
      {
        ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
        metadata: { name },
        rules: [rule('authentication.k8s.io', extras)],
      },
    ]
    await apply(w, roles)
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
    await apply(w, [{ ...bindingOf(name, name, who, 'jackstay-executors'), roleRef }])
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: who }
    await apply(w, [account])
    const { client } = await w.serviceAccount(who.namespace, who.name)
    const username = `system:serviceaccount:jackstay-executors:${g.class}`
    const write = (as: Parameters<typeof client.as>[0]) =>
      g.patch({ spec: { replicas: 2 } }, { as: client.as(as), dryRun: true })
    const about = (all: readonly { readonly severity: string; readonly what: string }[]) =>
      all.filter(({ what }) => what.includes(`${g.target}/tool`)).map((one) => one.severity)
    assert.deepEqual(about((await findings()).findings), ['note'])
    // the right is there, and a policy wants an intent named
    await until('only a policy refuses it', async () =>
      (await write({ username })).message.includes("'jackstay-executor"),
    )
    await apply(w, [bindingOf(name, name, who)])
    const { exit, findings: all } = await findings()
    assert.deepEqual([exit, about(all)], [1, ['wrong']])
    await until('it writes as the executor', async () => {
      return (await write({ username, extra: g.extra })).status === 200
    })
  })

  it('sees everything with the role jackstay-auditor, which writes nothing', async () => {
    const user = `auditor-${g.class}`
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole' }
    await apply(w, [
      {
        ...{ apiVersion: `${roleRef.apiGroup}/v1`, kind: 'ClusterRoleBinding' },
        ...{ metadata: { name: user }, roleRef: { ...roleRef, name: 'jackstay-auditor' } },
        subjects: [{ apiGroup: roleRef.apiGroup, kind: 'User', name: user }],
      },
    ])
    const { kubeconfig, client } = await w.person(user)
    await until('the role counts', async () => (await findings(kubeconfig)).exit !== 3)
    const { objects, findings: all } = await findings(kubeconfig)
    assert.ok(objects > 60)
    assert.deepEqual(
      all.filter((one) => one.severity === 'unseen' || isOfChart(one)),
      [],
    )
    const status = JSON.parse((await jackstay(['status', '-o', 'json'], { kubeconfig })).out)
    assert.deepEqual(status.stops.unread, [])
    assert.ok(status.enforcement.every(({ state }: { state: string }) => state === 'bound'))
    const label = { metadata: { labels: { 'jackstay.dev/suspended': '' } } }
    const refused = await attempt(client, 'PATCH', `/api/v1/namespaces/${g.target}`, label)
    assert.equal(refused.status, 403)
    await w.kubectl(['delete', 'clusterrolebinding', user])
  })

  it('says what it may not see', async () => {
    const { kubeconfig } = await w.person('doctor-nobody')
    const { exit, findings: all } = await findings(kubeconfig)
    assert.equal(exit, 3)
    assert.ok(all.every(({ severity }) => severity === 'unseen'))
  })
})
