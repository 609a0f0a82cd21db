import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { attempt, passed, refused, refusedBy, until } from './attempt.ts'
import {
  apply,
  bindingOf,
  boundAnyway,
  type Governed,
  governed,
  type Manifest,
  suffix,
} from './governed.ts'
import { approvalOf, approvalsIn, intentOf, namespacedPath, zeroUid } from './specimens.ts'
import { noCluster, type Person, type World, world } from './world.ts'

const group = 'oncall'

describe('approvals, with every program of Jackstay dead', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let oncall: Person
  let owner: Person
  before(async () => {
    w = await world()
    g = await governed(w)
    oncall = await w.person('oncall-1', [group, 'payments'])
    owner = await w.person('namespace-admin-1', [])
    await apply(w, rights(g))
  })

  const mine = (spec: Manifest = {}) =>
    approvalOf(g.target, { approver: 'oncall-1', groups: [group], ...spec })

  async function stored(spec: Manifest = {}): Promise<string> {
    const approval = mine(spec)
    passed(await attempt(oncall.client, 'POST', approvalsIn(g.target), approval))
    return `${approvalsIn(g.target)}/${approval.metadata.name}`
  }

  it('takes a person’s verdict by plain `kubectl create -f`', async () => {
    const approval = mine()
    const { kubeconfig } = oncall
    const stdin = JSON.stringify(approval)
    const { code, stderr } = await w.kubectl(['create', '-f', '-'], { kubeconfig, stdin })
    assert.equal(code, 0, stderr)
    const listed = await w.kubectl(['-n', g.target, 'get', 'apv', approval.metadata.name])
    assert.match(listed.stdout, /VERDICT\s+SUBJECT\s+APPROVER\s+REASON/)
    assert.match(listed.stdout, /approve\s+\S+\s+oncall-1/)
  })

  it('refuses an approval in another person’s name (T51)', async () => {
    const forged = mine({ approver: 'oncall-2' })
    const answer = await attempt(oncall.client, 'POST', approvalsIn(g.target), forged)
    refusedBy('jackstay-approvals-identified', answer)
    assert.match(answer.message, /spec\.approver must be you/)
    const { kubeconfig } = oncall
    const stdin = JSON.stringify(forged)
    const said = await w.kubectl(['create', '-f', '-'], { kubeconfig, stdin })
    assert.notEqual(said.code, 0)
    assert.match(said.stderr, /see kubectl auth whoami/, 'kubectl shows what to do')
  })

  it('refuses groups that are not the approver’s (T51)', async () => {
    const answer = await attempt(
      oncall.client,
      'POST',
      approvalsIn(g.target),
      mine({ groups: [group, 'platform-leads'] }),
    )
    refusedBy('jackstay-approvals-identified', answer)
  })

  it('refuses ServiceAccounts and `system:` users, an agent among them (T52, T84)', async () => {
    await boundAnyway(w, [
      bindingOf(`approver-${g.class}`, 'jackstay-approver', agentOf(g), g.target),
      bindingOf(
        `bot-${g.class}`,
        'jackstay-approver',
        { namespace: g.target, name: 'default' },
        g.target,
      ),
    ])
    const agent = (await w.serviceAccount(g.namespace, g.agent)).client
    const bot = (await w.serviceAccount(g.target, 'default')).client
    const system = w.admin.as({ username: 'system:someone', groups: ['system:masters'] })
    const cases = [
      [agent, `system:serviceaccount:${g.namespace}:${g.agent}`],
      [agent, 'oncall-1'],
      [bot, `system:serviceaccount:${g.target}:default`],
      [bot, 'oncall-1'],
      [system, 'system:someone'],
    ] as const
    for (const [client, approver] of cases) {
      const approval = approvalOf(g.target, { approver, groups: [] })
      refused(
        await attempt(client, 'POST', approvalsIn(g.target), approval),
        // the kind itself refuses such a name before any policy sees it
        approver.startsWith('system:') ? 422 : 403,
        /given by people|agents write nothing|an approver is a person/,
      )
    }
  })

  it('refuses every change of the spec, by an administrator too (T52, T84)', async () => {
    const path = await stored({ verdict: 'reject' })
    for (const spec of [
      { verdict: 'approve' },
      { digest: `sha256:${'1'.repeat(64)}` },
      { groups: [] },
    ]) {
      const answer = await attempt(w.admin, 'PATCH', path, { spec })
      refused(answer, 422, /the spec never changes/)
    }
    const label = { metadata: { labels: { seen: 'yes' } } }
    passed(await attempt(w.admin, 'PATCH', path, label, { dryRun: true }))
  })

  it('cannot be erased through ownerReferences or finalizers, at birth or later (T84)', async () => {
    const ghost = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'ghost',
      uid: '00000000-0000-4000-8000-000000000000',
    }
    const traps = [{ ownerReferences: [ghost] }, { finalizers: ['example.org/stuck'] }]
    const path = await stored({ verdict: 'reject' })
    for (const metadata of traps) {
      const born = mine()
      Object.assign(born.metadata, metadata)
      const created = await attempt(oncall.client, 'POST', approvalsIn(g.target), born)
      refusedBy('jackstay-approvals-identified', created)
      refusedBy(
        'jackstay-approvals-immutable',
        await attempt(owner.client, 'PATCH', path, { metadata }),
      )
    }
  })

  it('is deleted by no person, singly or as a collection (T80, T84)', async () => {
    const path = await stored({ verdict: 'reject' })
    for (const client of [owner.client, w.admin]) {
      refusedBy('jackstay-approvals-kept', await attempt(client, 'DELETE', path))
      refusedBy('jackstay-approvals-kept', await attempt(client, 'DELETE', approvalsIn(g.target)))
    }
    passed(await attempt(w.admin, 'GET', path))
    const mediator = (await w.serviceAccount('jackstay-system', 'jackstay-mediator')).client
    passed(await attempt(mediator, 'DELETE', path))
  })

  it('leaves a namespace’s own admin to cancel an Intent, and to widen nothing (T80)', async () => {
    const ours = 'system:serviceaccount:jackstay-system:jackstay-mediator'
    const mediator = w.admin.as({ username: ours, groups: ['system:masters'] })
    const intents = namespacedPath('intents', g.target)
    const one = intentOf(g.target)
    Object.assign(one.metadata, { finalizers: ['jackstay.dev/ledger'] })
    passed(await attempt(mediator, 'POST', intents, one))
    const at = `${intents}/${one.metadata.name}`
    const ghost = { apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: zeroUid }
    const edits: [string, unknown][] = [
      [`${at}/status`, { status: { phase: 'verified', needs: [] } }],
      [at, { metadata: { finalizers: null } }],
      [at, { metadata: { ownerReferences: [ghost] } }],
      [at, { metadata: { labels: { seen: 'yes' } } }],
    ]
    for (const [path, edit] of edits) {
      refusedBy('jackstay-intents-written', await attempt(owner.client, 'PATCH', path, edit))
    }
    const agent = 'jackstay-class-none/other'
    const bent = await attempt(owner.client, 'PATCH', at, { spec: { agent } })
    assert.match(bent.message, /the spec never changes|jackstay-intents-written/)
    const own = await attempt(owner.client, 'POST', intents, intentOf(g.target))
    refusedBy('jackstay-intents-written', own)
    // the admin that Kubernetes knows has not even the labels of the namespace, by which it is governed
    // and suspended
    const plain = await w.person('namespace-admin-2', [])
    const namespace = `/api/v1/namespaces/${g.target}`
    await until('the admin’s own rights work', async () => {
      return (await attempt(plain.client, 'GET', `${namespace}/configmaps`)).status === 200
    })
    for (const key of ['jackstay.dev/governed', 'jackstay.dev/suspended']) {
      const labels = { metadata: { labels: { [key]: null } } }
      assert.equal((await attempt(plain.client, 'PATCH', namespace, labels)).status, 403)
    }
    assert.equal((await attempt(plain.client, 'DELETE', at)).status, 403)
    // deleting is cancelling: the object stays until the ledger has it
    passed(await attempt(owner.client, 'DELETE', at))
    const { body } = await attempt(w.admin, 'GET', at)
    assert.match(JSON.stringify(body), /"deletionTimestamp"/)
    passed(await attempt(mediator, 'PATCH', at, { metadata: { finalizers: null } }))
  })

  it('is not given while the namespace’s quota has no room for it, which lets nothing pass (T80)', async (t) => {
    if (!w.cluster.controllers) return t.skip('the cluster has no controllers')
    const quotas = `/api/v1/namespaces/${g.target}/resourcequotas`
    const hard = { 'count/approvals.jackstay.dev': '0' }
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none' },
      spec: { hard },
    }
    passed(await attempt(owner.client, 'POST', quotas, quota))
    try {
      const dryRun = { dryRun: true }
      // controllers look for kinds to count each half minute
      await until(
        'the quota bites',
        async () => {
          const answer = await attempt(oncall.client, 'POST', approvalsIn(g.target), mine(), dryRun)
          return answer.status === 403 && /exceeded quota/.test(answer.message)
        },
        120_000,
      )
    } finally {
      passed(await attempt(owner.client, 'DELETE', `${quotas}/none`))
    }
  })

  it('goes with its namespace, which never hangs on it', async (t) => {
    if (!w.cluster.controllers) return t.skip('the cluster has no controllers')
    const name = `t-${suffix()}`
    await apply(w, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, rolebinding(name)])
    const approval = approvalOf(name, { approver: 'oncall-1', groups: [group] })
    await until('the right to approve', async () => {
      const { status } = await attempt(oncall.client, 'POST', approvalsIn(name), approval)
      return status === 201
    })
    passed(await attempt(w.admin, 'DELETE', `/api/v1/namespaces/${name}`))
    await until('the namespace is gone', async () => {
      return (await attempt(w.admin, 'GET', `/api/v1/namespaces/${name}`)).status === 404
    })
  })
})

const agentOf = ({ namespace, agent }: Governed) => ({ namespace, name: agent })

function rolebinding(namespace: string): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'oncall-approves', namespace },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'jackstay-approver',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
  }
}

/** One admin gets more than any chart would give, all verbs on everything; one what Kubernetes gives. */
function rights({ target }: Governed): Manifest[] {
  const rbac = 'rbac.authorization.k8s.io'
  return [
    rolebinding(target),
    {
      ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding' },
      metadata: { name: 'admin', namespace: target },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'admin' },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'namespace-admin-2' }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'owner', namespace: target },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'namespace-admin-1' },
      ],
    },
  ]
}
