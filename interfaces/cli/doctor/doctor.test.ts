import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { bindingObject } from '@jackstay/contract/rbac'
import { Desk, type Fake, startFake, status } from '../fake-servers.ts'
import { reporting, stopped, unready } from './conditions.ts'
import { deviation } from './deviation.ts'
import { type Rights, rightsOf, widerRights } from './rights.ts'

describe('an object is not what the chart says', () => {
  const policy = (spec: object, metadata: object = {}) => ({
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p', labels: { a: 'b', ...metadata } },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [{ resources: ['*/*'] }] },
      ...spec,
    },
  })
  const wanted = policy({})
  const why = (found: object) => deviation(wanted, { ...found })

  it('and is where the API server only filled in what changes nothing', () => {
    const rules = [{ resources: ['*/*'], scope: '*' }]
    const selectors = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} }
    const stored = policy({ matchConstraints: { resourceRules: rules, ...selectors } }, { c: 'd' })
    assert.equal(why({ ...stored, status: { observedGeneration: 1 } }), undefined)
  })

  it('where something is other, gone or added that makes a policy see less', () => {
    const resourceRules = [{ resources: ['*/*'] }]
    const cases: [object, RegExp][] = [
      [policy({ failurePolicy: 'Ignore' }), /^spec.failurePolicy differs/],
      [policy({ matchConstraints: { resourceRules: [] } }), /resourceRules has 0 entries, not 1/],
      [
        policy({ matchConditions: [{ name: 'x', expression: 'false' }] }),
        /matchConditions was added/,
      ],
      [
        policy({
          matchConstraints: { resourceRules, objectSelector: { matchLabels: { x: 'y' } } },
        }),
        /objectSelector was added/,
      ],
      [
        policy({ matchConstraints: { resourceRules, matchPolicy: 'Exact' } }),
        /matchPolicy was added/,
      ],
      [
        policy({ matchConstraints: { resourceRules: [{ resources: ['*/*'], scope: 'Cluster' }] } }),
        /scope was added/,
      ],
      [policy({}, { a: 'z' }), /label a is not `b`/],
      [{ ...policy({}), spec: undefined }, /^spec differs/],
    ]
    for (const [found, says] of cases) assert.match(why(found) ?? '', says)
  })

  it('where a role gets its rules from others, or gives them to others', () => {
    const role = { kind: 'ClusterRole', metadata: { name: 'r' }, rules: [{ verbs: ['get'] }] }
    assert.equal(
      deviation(role, { ...role, metadata: { name: 'r', labels: { x: 'y' } } }),
      undefined,
    )
    const label = 'rbac.authorization.k8s.io/aggregate-to-edit'
    const lent = { ...role, metadata: { name: 'r', labels: { [label]: 'true' } } }
    assert.match(deviation(role, lent) ?? '', /aggregate-to-edit gives its rights/)
    assert.equal(deviation(lent, lent), undefined)
    assert.match(deviation(role, { ...role, aggregationRule: { x: 1 } }) ?? '', /^aggregationRule/)
    assert.match(deviation(role, { ...role, rules: [{ verbs: ['*'] }] }) ?? '', /rules\[0\].verbs/)
  })
})

describe('somebody holds more than they should', () => {
  const binding = (role: string, subject: object, namespace?: string) => {
    const metadata = { name: 'b', ...(namespace !== undefined && { namespace }) }
    return { metadata, roleRef: { kind: 'ClusterRole', name: role }, subjects: [subject] }
  }
  const role = (name: string, verbs: string[], resources: string[]) => ({
    metadata: { name },
    rules: [{ apiGroups: [''], verbs, resources }],
  })
  const rights = (bindings: object[], clusterroles: object[] = []): Rights => {
    const of = (inNamespace: boolean) =>
      bindings.filter(
        (b) => (bindingObject.parse(b).metadata.namespace !== undefined) === inNamespace,
      )
    return rightsOf({
      rolebindings: of(true),
      clusterrolebindings: of(false),
      roles: [],
      clusterroles,
    })
  }
  const agent = { kind: 'ServiceAccount', namespace: 'jackstay-class-a', name: 'agent' }
  const executor = { kind: 'ServiceAccount', namespace: 'jackstay-executors', name: 'a' }
  const found = (bindings: object[], roles: object[] = [], classes: string[] = []) =>
    widerRights(rights(bindings, roles), classes).map(({ what }) => what)

  it('an agent, by name or as everybody, each said once (T85)', () => {
    const [one, ...none] = widerRights(rights([binding('edit', agent, 'shop')]), [])
    assert.match(one?.what ?? '', /RoleBinding shop\/b gives agents of `jackstay-class-a`/)
    assert.match(one?.next ?? '', /kubectl -n shop delete rolebinding b$/)
    assert.deepEqual(none, [])
    const all = binding('makes', { kind: 'Group', name: 'system:authenticated' })
    const makes = role('makes', ['create'], ['pods'])
    const classes = ['jackstay-class-a', 'jackstay-class-b']
    assert.equal(found([all], [makes], classes).length, 1)
    assert.deepEqual(found([binding('jackstay-read-logs', agent, 'shop')], [], classes), [])
    const filled = role('jackstay-read-logs', ['create'], ['pods/exec'])
    assert.match(found([binding('jackstay-read-logs', agent)], [filled])[0] ?? '', /pods\/exec/)
  })

  it('an executor, by anything but an action’s role', () => {
    assert.deepEqual(found([binding('jackstay-action-workload-scale', executor, 'shop')]), [])
    for (const subject of [
      executor,
      { kind: 'User', name: 'system:serviceaccount:jackstay-executors:a' },
      { kind: 'Group', name: 'system:serviceaccounts:jackstay-executors' },
    ]) {
      assert.match(found([binding('edit', subject)])[0] ?? '', /gives the executor .*`edit`/)
      assert.match(found([binding('jackstay-action-pod-delete', subject)])[0] ?? '', /no action/)
    }
  })
})

describe('what says of itself that it is not ready', () => {
  const [classes] = reporting
  assert.ok(classes)
  const one = (conditions: object[], observedGeneration = 2) => ({
    metadata: { name: 'sre', generation: 2 },
    status: { observedGeneration, conditions },
  })
  const said = (object: object) => unready(classes, [object]).map(({ what }) => what)

  it('is said with its reason, and where nobody has looked', () => {
    const [ready, not] = ['True', 'False'].map((state) => ({
      type: 'Ready',
      status: state,
      message: 'm',
    }))
    assert.ok(ready && not)
    assert.deepEqual(said(one([ready])), [])
    assert.deepEqual(said(one([not])), ['AgentClass sre is not Ready: m'])
    for (const stale of [one([]), one([ready], 1), { metadata: { name: 'sre', generation: 1 } }]) {
      assert.match(said(stale)[0] ?? '', /no mediator has looked/)
    }
  })

  it('and a stop is told, with how to end it', () => {
    const labels = { 'jackstay.dev/suspended': '' }
    const namespaces = ['jackstay-system', 'shop'].map((name) => ({ metadata: { name, labels } }))
    assert.deepEqual(
      stopped([...namespaces, { metadata: { name: 'bank' } }]).map(({ severity, next }) => [
        severity,
        next,
      ]),
      [
        ['note', 'jackstay resume --all'],
        ['note', 'jackstay resume -n shop'],
      ],
    )
  })
})

describe('jackstay doctor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jackstay-doctor-'))
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/reads'
  const reads = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'reads' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  }
  const system = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'jackstay-system' } }
  const there = { 'GET /api/v1/namespaces/jackstay-system': { status: 200, body: system } }
  let api: Fake
  let desk: Desk
  before(async () => {
    api = await startFake()
    desk = new Desk(api.origin, 'http://127.0.0.1:9')
    writeFileSync(join(folder, 'namespace.yaml'), JSON.stringify(system))
    writeFileSync(join(folder, 'role.yaml'), JSON.stringify(reads))
  })
  after(async () => {
    await api.stop()
    rmSync(folder, { recursive: true })
  })
  const type = (...line: string[]) => desk.run(['doctor', '--chart', folder, ...line])

  it('ends with 0 where all is well, 1 with what to do, 3 where it may not look', async () => {
    api.routes = { ...there, [`GET ${path}`]: { status: 200, body: reads } }
    const well = await type()
    assert.deepEqual([well.exit, well.err], [0, ''])
    assert.match(well.out, /^well: 2 objects/)
    api.routes = there
    const gone = await type()
    assert.equal(gone.exit, 1)
    assert.match(gone.out, /wrong: ClusterRole reads is missing\n {2}kubectl apply /)
    // of the folder that was named, for another one may hold another version
    assert.ok(gone.out.includes(`-f ${join(folder, 'role.yaml')}\n`))
    api.routes = { ...there, [`GET ${path}`]: status(403, 'Forbidden', 'no') }
    const hidden = await type('-o', 'json')
    assert.equal(hidden.exit, 3)
    assert.equal(JSON.parse(hidden.out).findings[0].severity, 'unseen')
  })

  it('says once for each right that is missing what to ask for', async () => {
    const more = join(folder, 'more.yaml')
    const other = { ...reads, metadata: { name: 'others' } }
    writeFileSync(more, JSON.stringify(other))
    const no = status(403, 'Forbidden', 'no')
    const list = path.slice(0, path.lastIndexOf('/'))
    const roles = { [`GET ${path}`]: no, [`GET ${list}/others`]: no, [`GET ${list}`]: no }
    api.routes = { ...there, ...roles, 'GET /api/v1/namespaces/jackstay-system': no }
    const { exit, out, err } = await type()
    rmSync(more)
    assert.equal(exit, 3)
    assert.equal(
      out,
      [
        'unseen: you may not get clusterroles.rbac.authorization.k8s.io: 2 objects of the chart',
        'unseen: you may not get namespaces',
        'unseen: you may not list clusterroles.rbac.authorization.k8s.io',
        '  ask for these rights: the ClusterRole jackstay-auditor holds them, and writes nothing\n',
      ].join('\n'),
    )
    assert.match(err, /nothing is wrong that you may see, and 3 right\(s\) to see all are missing/)
  })

  it('says once that nothing is installed', async () => {
    api.routes = {}
    const { exit, out } = await type()
    assert.equal(exit, 1)
    assert.equal(out, 'wrong: Jackstay is not installed here\n  see docs/guide/install.md\n')
  })

  it('says which folder it needs, whether or not there is a cluster', async () => {
    const none = join(folder, 'none')
    for (const line of [[], ['--kubeconfig', '/nowhere']]) {
      const { exit, err } = await desk.run(['doctor', '--chart', none, ...line])
      assert.equal(exit, 4)
      assert.ok(err.includes(`\`${none}\` cannot be read`), err)
    }
    writeFileSync(join(folder, 'other.yaml'), 'kind: Pod')
    const other = await type()
    rmSync(join(folder, 'other.yaml'))
    assert.equal(other.exit, 2)
    assert.match(
      other.err,
      /`other.yaml` is none of the chart's files; name its folder with --chart/,
    )
  })
})
