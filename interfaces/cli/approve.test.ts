import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { sha256 } from '@jackstay/contract/json'
import { agentClassSpec } from '@jackstay/contract/kinds/agent-class'
import { approvalSpec } from '@jackstay/contract/kinds/approval'
import { classHash } from '@jackstay/judge/class-ceiling'
import { approvalObject, type Subject } from './approval.ts'
import { CommandFailed } from './failure.ts'
import { Desk, type Fake, type Seen, startFake, status } from './fake-servers.ts'
import { id } from './story-builder.ts'
import { parseSubject } from './subject.ts'

const uid = '00000000-0000-4000-8000-000000000002'
const digest = sha256('plan')
const subject: Subject = {
  ...{ kind: 'Intent', name: id, uid, namespace: 'shop', digest, needs: ['1 approval(s) by sre'] },
}
const alice = { username: 'alice@example.com', groups: ['system:authenticated', 'dev', 'sre'] }

test('an approval names subject, digest and person, as the contract wants it', () => {
  const { metadata, spec } = approvalObject(subject, alice, 'approve', 'known peak')
  assert.deepEqual(approvalSpec.parse(spec), {
    subject: { kind: 'Intent', name: id, uid },
    digest,
    verdict: 'approve',
    approver: 'alice@example.com',
    groups: ['sre', 'dev'],
    reason: 'known peak',
  })
  assert.equal(metadata.namespace, 'shop')
})

test('its name follows from subject, digest, person and verdict alone', () => {
  const name = (s: Subject, who: typeof alice, verdict: 'approve' | 'reject', reason: string) =>
    approvalObject(s, who, verdict, reason).metadata.name
  const first = name(subject, alice, 'approve', 'a')
  assert.equal(name(subject, alice, 'approve', 'another reason'), first)
  const others = [
    name(subject, alice, 'reject', 'a'),
    name(subject, { ...alice, username: 'bob@example.com' }, 'approve', 'a'),
    name({ ...subject, digest: sha256('edited') }, alice, 'approve', 'a'),
    name({ ...subject, uid: uid.replace('2', '3') }, alice, 'approve', 'a'),
  ]
  assert.equal(new Set([first, ...others]).size, 5)
  assert.match(first, /^[a-z0-9-]{1,253}$/)
})

test('only people approve, and only with a reason', () => {
  const robot = { username: 'system:serviceaccount:shop:bot', groups: [] }
  assert.throws(() => approvalObject(subject, robot, 'approve', 'x'), CommandFailed)
  assert.throws(() => approvalObject(subject, alice, 'approve', ''), /reason: /)
})

test('a person in hundreds of groups still carries those that are asked for', () => {
  const groups = [...Array.from({ length: 200 }, (_, i) => `team-${i}`), 'sre']
  const { spec } = approvalObject(subject, { ...alice, groups }, 'approve', 'x')
  assert.equal(spec.groups.length, 64)
  assert.equal(spec.groups[0], 'sre')
})

test('subjects are written as ids or as kind and name', () => {
  assert.deepEqual(parseSubject(id), { kind: 'Intent', name: id })
  assert.deepEqual(parseSubject(`intent/${id}`), { kind: 'Intent', name: id })
  assert.deepEqual(parseSubject('agentclass/scalers'), { kind: 'AgentClass', name: 'scalers' })
  assert.throws(() => parseSubject('scalers'), /`agentclass\/scalers` for a class/)
  assert.throws(() => parseSubject('pod/x'), /neither an intent id nor/)
})

let api: Fake
let desk: Desk
before(async () => {
  api = await startFake()
  desk = new Desk(api.origin, 'http://127.0.0.1:2')
})
after(async () => {
  desk.clean()
  await api.stop()
})

const groupVersion = 'jackstay.dev/v1alpha1'
const base = `/apis/${groupVersion}`

function intentObject(over: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: groupVersion,
    kind: 'Intent',
    metadata: { name: id, namespace: 'shop', uid, resourceVersion: '1' },
    spec: {
      agent: 'jackstay-class-shop/runbook',
      action: 'workload.scale',
      target: 'Deployment shop/checkout',
      jws: 'a.b.c',
    },
    status: {
      phase: 'approve',
      digest,
      summary: 'scale Deployment shop/checkout from 3 to 5',
      diff: ['Deployment shop/checkout /spec/replicas: 3 → 5'],
      notes: ['app: app:1 now runs as sha256:0123'],
      needs: ['1 approval(s) by sre (base/peak)'],
      expiresAt: '2026-01-02T04:00:00.000Z',
      ...over,
    },
  }
}

const spec = {
  namespace: 'jackstay-class-shop',
  autonomy: 'act-with-approval',
  actions: [{ name: 'workload.scale', targets: { namespaces: ['shop'], names: ['*'] } }],
  defaultApproval: { count: 1, groups: ['sre'] },
  limits: {
    intentsPerMinute: 10,
    pending: 5,
    concurrent: 5,
    budgets: [],
    oscillation: { turns: 3, within: '1h' },
  },
  verifySeconds: 120,
  triggers: [],
  grant: { count: 1, groups: ['platform'] },
} as const

function classObject(specHash: string) {
  return {
    apiVersion: groupVersion,
    kind: 'AgentClass',
    metadata: { name: 'scalers', uid, resourceVersion: '1' },
    spec,
    status: { specHash },
  }
}

const hash = classHash(agentClassSpec.parse(spec))

function items(...found: readonly unknown[]) {
  return {
    status: 200,
    body: { kind: 'IntentList', metadata: { resourceVersion: '1' }, items: found },
  }
}

const created = ({ body }: Seen) => ({
  status: 201,
  body: { ...Object(body), metadata: { ...Object(body).metadata, uid, resourceVersion: '2' } },
})

beforeEach(() => {
  api.routes = {
    'POST /apis/authentication.k8s.io/v1/selfsubjectreviews': {
      status: 201,
      body: { kind: 'SelfSubjectReview', metadata: {}, status: { userInfo: alice } },
    },
    [`GET ${base}/intents`]: items(intentObject()),
    [`GET ${base}/agentclasses/scalers`]: { status: 200, body: classObject(hash) },
    [`POST ${base}/namespaces/shop/approvals`]: created,
    [`POST ${base}/namespaces/jackstay-system/approvals`]: created,
  }
})

function posted(): Seen | undefined {
  return api.seen.findLast(
    ({ method, url }) => method === 'POST' && url.pathname.endsWith('approvals'),
  )
}

const approveIt = ['approve', id, '--reason', 'known peak']

test('shows the diff and the digest, asks, and writes the approval as the user', async () => {
  const before = posted()
  const { exit, out, err } = await desk.run(approveIt, 'yes')
  assert.equal(exit, 0, err)
  assert.match(out, /\/spec\/replicas: 3 → 5/)
  assert.match(out, /app:1 now runs as sha256:0123/, 'what to know before')
  assert.ok(out.includes(digest))
  assert.ok(out.indexOf('/spec/replicas') < out.indexOf('approve operation? Type yes or no:'))
  assert.match(out, /approved operation .* as alice@example.com/)
  assert.match(out, /Approved is not executed/)
  const request = posted()
  assert.notEqual(request, before)
  assert.equal(request?.authorization, 'Bearer the-users-token')
  assert.equal(request?.url.searchParams.get('fieldValidation'), 'Strict')
})

test('writes nothing unless the answer is yes, and asks again after a typing error', async () => {
  const before = posted()
  for (const answers of [['no'], [' NO '], ['', 'y', 'yes!', 'no']]) {
    const { exit, out, err } = await desk.run(approveIt, answers)
    assert.equal(exit, 1)
    assert.match(err, /not confirmed, nothing was written/)
    assert.equal(out.split('Type yes or no: ').length - 1, answers.length)
  }
  assert.equal(posted(), before)
})

test('without a terminal it wants --yes, before it reads anything', async () => {
  const seen = api.seen.length
  const { exit, err } = await desk.run(approveIt)
  assert.equal(exit, 2)
  assert.match(err, /pass --yes/)
  assert.equal(api.seen.length, seen)
  assert.equal((await desk.run([...approveIt, '--yes'])).exit, 0)
})

/** The name is taken: by what `taken` makes of the first Approval that is posted. */
function nameTaken(taken: (spec: Record<string, unknown>) => Record<string, unknown>): void {
  const path = `${base}/namespaces/shop/approvals`
  api.routes = {
    ...api.routes,
    [`POST ${path}`]: ({ body }) => {
      const object = body as { metadata: { name: string }; spec: Record<string, unknown> }
      const known = `GET ${path}/${object.metadata.name}`
      if (Object.keys(api.routes).some((route) => route.startsWith(`GET ${path}/`))) {
        return { status: 201, body: object }
      }
      const present = { ...object, spec: taken(object.spec) }
      api.routes = { ...api.routes, [known]: { status: 200, body: present } }
      return status(409, 'AlreadyExists', 'it exists')
    },
  }
}

test('saying the same again is done already', async () => {
  nameTaken((spec) => ({ ...spec, reason: 'said before' }))
  const { exit, out } = await desk.run([...approveIt, '--yes', '-o', 'json'])
  assert.equal(exit, 0)
  assert.equal(JSON.parse(out).already, true)
})

test('a taken name swallows nobody’s word (T84)', async () => {
  for (const bend of [
    { digest: sha256('other') },
    { verdict: 'reject' },
    { approver: 'mallory' },
  ]) {
    nameTaken((spec) => ({ ...spec, ...bend }))
    const { exit, out } = await desk.run([...approveIt, '--yes', '-o', 'json'])
    assert.equal(exit, 0)
    assert.equal(JSON.parse(out).already, false)
    const paths = Object.keys(api.routes).filter((route) => !/GET .*approvals\//.test(route))
    api.routes = Object.fromEntries(
      paths.map((path) => [path, api.routes[path] ?? status(404, '', '')]),
    )
  }
})

test('what is not what was read is refused', async () => {
  const { exit, err } = await desk.run([...approveIt, '--yes', '--digest', sha256('before')])
  assert.equal(exit, 1)
  assert.match(err, /digest_differs/)
})

test('a class is approved by the hash of its spec, in the system namespace', async () => {
  const line = ['approve', 'agentclass/scalers', '--reason', 'reviewed', '--yes']
  const { exit, out, err } = await desk.run(line)
  assert.equal(exit, 0, err)
  assert.match(out, /"autonomy": "act-with-approval"/)
  assert.ok(out.includes(hash))
  assert.match(JSON.stringify(posted()?.body), new RegExp(`"digest":"${hash}"`))
})

test('a class whose status speaks of another spec is not approved', async () => {
  api.routes = {
    ...api.routes,
    [`GET ${base}/agentclasses/scalers`]: { status: 200, body: classObject(sha256('old')) },
  }
  const { exit, err } = await desk.run(['approve', 'agc/scalers', '--reason', 'x', '--yes'])
  assert.equal(exit, 1)
  assert.match(err, /was edited and its status is still about the old spec/)
})

const refused: readonly {
  name: string
  answer: ReturnType<typeof status>
  exit: number
  says: RegExp
}[] = [
  {
    name: 'a policy that says no',
    answer: status(422, 'Invalid', 'approver must be the caller'),
    exit: 1,
    says: /the API server refused the approval: approver must be the caller; nothing was written/,
  },
  {
    name: 'no right to approve',
    answer: status(403, 'Forbidden', 'User "alice" cannot create resource "approvals"'),
    exit: 3,
    says: /ask for the role `jackstay-approver` there/,
  },
]

for (const { name, answer, exit, says } of refused) {
  test(`${name}: exit code ${exit}`, async () => {
    api.routes = { ...api.routes, [`POST ${base}/namespaces/shop/approvals`]: answer }
    const ran = await desk.run([...approveIt, '--yes'])
    assert.equal(ran.exit, exit)
    assert.match(ran.err, says)
  })
}

test('an intent that waits for nothing is not approved', async () => {
  api.routes = {
    ...api.routes,
    [`GET ${base}/intents`]: items(intentObject({ phase: 'verified' })),
  }
  const { exit, err } = await desk.run([...approveIt, '--yes'])
  assert.equal(exit, 1)
  assert.match(err, /is `verified` and waits for no approval/)
})

test('an intent that no namespace shows is exit code 4', async () => {
  api.routes = { ...api.routes, [`GET ${base}/intents`]: items() }
  assert.equal((await desk.run([...approveIt, '--yes'])).exit, 4)
})

test('a user who may not look everywhere is told to name the namespace', async () => {
  api.routes = {
    ...api.routes,
    [`GET ${base}/intents`]: status(403, 'Forbidden', 'cannot list at the cluster scope'),
    [`GET ${base}/namespaces/shop/intents/${id}`]: { status: 200, body: intentObject() },
  }
  const { exit, err } = await desk.run([...approveIt, '--yes'])
  assert.equal(exit, 3)
  assert.match(err, /name the one of the target with -n/)
  assert.equal((await desk.run([...approveIt, '--yes', '-n', 'shop'])).exit, 0)
})

test('T55 hostile text in an object is escaped before anybody is asked', async () => {
  const hostile = 'restart\u001b[2K\rscale\u202e'
  api.routes = {
    ...api.routes,
    [`GET ${base}/intents`]: items(intentObject({ summary: hostile, diff: [hostile] })),
  }
  const { out } = await desk.run(approveIt, 'no')
  assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
})
