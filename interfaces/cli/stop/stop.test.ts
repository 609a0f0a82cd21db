import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Desk, type Fake, type Seen, startFake, status } from '../fake-servers.ts'
import { heldAlready, holding } from './holding.ts'
import { flagOf, scopeOf } from './scope.ts'
import type { Stop } from './standing.ts'

const uid = '00000000-0000-4000-8000-000000000009'

describe('scopes', () => {
  it('are named one at a time, and written back as they were typed', () => {
    for (const flags of [
      { all: true },
      { namespace: 'shop' },
      { class: 'sre' },
      { agent: 'jackstay-class-sre/healer' },
      { action: 'workload.scale' },
      { target: 'shop/Deployment/api' },
      { target: 'Node/worker-1' },
    ]) {
      const [[name, value] = []] = Object.entries(flags)
      const typed = value === true ? `--${name}` : `--${name} ${value}`
      assert.equal(flagOf(scopeOf(flags)), typed)
    }
    assert.deepEqual(scopeOf({ target: 'shop/deploy/api' }), {
      by: 'kind',
      subject: { target: { namespace: 'shop', kind: 'Deployment', name: 'api' } },
    })
  })

  it('that are none, several or malformed are refused before anything is sent', () => {
    assert.throws(() => scopeOf({}), /name one scope/)
    assert.throws(() => scopeOf({ all: true, class: 'sre' }), /name one scope/)
    assert.throws(() => scopeOf({ namespace: 'Shop' }), /no name of a namespace/)
    assert.throws(() => scopeOf({ agent: 'healer' }), /--agent: must be `namespace/)
    assert.throws(() => scopeOf({ target: 'api' }), /NAMESPACE\/KIND\/NAME/)
    assert.throws(() => scopeOf({ target: 'shop/thing/api' }), /--target: /)
  })
})

describe('a stop changes nothing', () => {
  const stop = (flags: Parameters<typeof scopeOf>[0], sparesUndo = false): Stop => ({
    ...{ scope: scopeOf(flags), uid, vouched: true, sparesUndo },
  })
  const says = (mine: Stop, ...others: Stop[]) =>
    heldAlready(mine, holding(mine.scope, others)).length > 0

  it('where everything, its namespace or itself is stopped', () => {
    const api = stop({ target: 'shop/Deployment/api' })
    assert.ok(says(api, stop({ all: true })))
    assert.ok(says(api, stop({ namespace: 'shop' })))
    assert.ok(says(api, api))
    assert.ok(says(stop({ namespace: 'shop' }), stop({ all: true })))
    assert.ok(says(stop({ class: 'sre' }, true), stop({ class: 'sre' }, true)))
  })

  it('and nowhere else', () => {
    const api = stop({ target: 'shop/Deployment/api' })
    assert.ok(!says(api, stop({ namespace: 'cart' }), stop({ target: 'shop/Deployment/web' })))
    assert.ok(!says(stop({ all: true }), stop({ namespace: 'shop' }), api))
    assert.ok(!says(stop({ target: 'Node/a' }), stop({ namespace: 'shop' })))
    // that one lets undos through, and this one does not
    assert.ok(!says(stop({ class: 'sre' }), stop({ class: 'sre' }, true)))
  })
})

describe('suspend and resume', () => {
  let api: Fake
  let desk: Desk
  let labels: Readonly<Record<string, string | null>>
  let annotations: Readonly<Record<string, string | null>>
  before(async () => {
    api = await startFake()
    desk = new Desk(api.origin, 'http://127.0.0.1:2')
  })
  after(async () => {
    desk.clean()
    await api.stop()
  })

  const path = '/api/v1/namespaces/jackstay-system'
  const present = (all: Readonly<Record<string, string | null>>) =>
    Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
  const namespace = () => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      ...{ name: 'jackstay-system', uid, resourceVersion: '1' },
      ...{ labels: present(labels), annotations: present(annotations) },
    },
  })
  const patch = ({ body }: Seen) => {
    const { metadata } = body as { metadata: { labels?: object; annotations?: object } }
    labels = { ...labels, ...metadata.labels }
    annotations = { ...annotations, ...metadata.annotations }
    return { status: 200, body: namespace() }
  }
  const list = (kind: string, items: readonly unknown[]) => ({
    status: 200,
    body: { kind, metadata: { resourceVersion: '1' }, items },
  })
  beforeEach(() => {
    labels = {}
    annotations = {}
    api.routes = {
      [`GET ${path}`]: () => ({ status: 200, body: namespace() }),
      [`PATCH ${path}`]: patch,
      'GET /api/v1/namespaces': () =>
        list('NamespaceList', 'jackstay.dev/suspended' in present(labels) ? [namespace()] : []),
      'GET /apis/jackstay.dev/v1alpha1/suspensions': () => list('SuspensionList', []),
    }
  })
  const patches = () => api.seen.filter(({ method }) => method === 'PATCH')

  it('labels first, with every other answer missing, and says what it could not check', async () => {
    const from = patches().length
    const { exit, out } = await desk.run(['suspend', '--all', '--reason', 'incident 7'])
    assert.equal(exit, 0)
    const [first] = patches().slice(from)
    assert.deepEqual(first?.body, {
      metadata: { labels: { 'jackstay.dev/suspended': 'by-hand' } },
    })
    assert.match(out, /suspended: everything; the API server shows/)
    assert.match(out, /not enforced: the policy jackstay-suspended-by-label is not there/)
  })

  it('is not written twice: what stands keeps who made it and why', async () => {
    labels = { 'jackstay.dev/suspended': '' }
    annotations = { 'jackstay.dev/suspended-reason': 'the first' }
    const from = patches().length
    const { exit, out } = await desk.run(['suspend', '--all', '--reason', 'the second'])
    assert.equal(exit, 0)
    assert.match(out, /was suspended already/)
    assert.match(out, /the first/)
    assert.match(out, /nothing was written: who and why stay as they were/)
    const timed = await desk.run(['suspend', '--all', '--for', '5m'])
    assert.match(timed.out, /nothing was written: .* whatever --for says, stay as they were/)
    assert.equal(patches().length, from)
  })

  it('never lifts with --wait what was stopped before', async () => {
    labels = { 'jackstay.dev/suspended': '' }
    const { exit, err } = await desk.run(['suspend', '--all', '--for', '1s', '--wait'])
    assert.equal(exit, 1)
    assert.match(err, /stopped before this command.*`jackstay resume --all` \[not_resumed\]/)
    assert.ok('jackstay.dev/suspended' in present(labels))
  })

  it('says plainly what lifted nothing, and what something broader holds', async () => {
    const nothing = await desk.run(['resume', '-n', 'shop', '--yes'])
    assert.equal(nothing.exit, 0)
    assert.match(
      nothing.out,
      /^nothing was lifted: there is no stop of the namespace shop\nno suspension/,
    )
    labels = { 'jackstay.dev/suspended': '' }
    const held = await desk.run(['resume', '-n', 'shop', '--yes'])
    assert.match(
      held.out,
      /^nothing was lifted: .*\nnothing moves yet: everything is stopped: jackstay resume --all\n/,
    )
  })

  it('never asks to stop, always asks to resume', async () => {
    assert.equal((await desk.run(['suspend', '--all'])).exit, 0)
    const nobody = await desk.run(['resume', '--all'])
    assert.equal(nobody.exit, 2)
    assert.match(nobody.err, /pass --yes/)
    assert.equal((await desk.run(['resume', '--all'], 'no')).exit, 1)
    assert.ok('jackstay.dev/suspended' in present(labels))
    const { exit, out } = await desk.run(['resume', '--all'], 'yes')
    assert.equal(exit, 0)
    assert.match(out, /Would move +intents could not be read/)
    assert.deepEqual({ ...present(labels), ...present(annotations) }, {})
  })

  it('says that a scope may be stopped after all where it cannot see', async () => {
    api.routes = { ...api.routes, 'GET /api/v1/namespaces': status(403, 'Forbidden', 'no') }
    const { exit, err } = await desk.run(['resume', '--all', '--yes'])
    assert.equal(exit, 3)
    assert.match(err, /you may not list labels of namespaces/)
  })

  it('refuses flags that promise what a label cannot do', async () => {
    const spared = await desk.run(['suspend', '--all', '--undo', 'allow'])
    assert.match(spared.err, /a label stops undos too/)
    const waiting = await desk.run(['suspend', '--all', '--wait'])
    assert.match(waiting.err, /--wait needs --for/)
    for (const text of ['2', '0s', '2 h', '800h']) {
      assert.equal((await desk.run(['suspend', '--all', '--for', text])).exit, 2, text)
    }
  })
})
