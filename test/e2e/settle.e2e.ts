import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Observed } from '@jackstay/actions/action'
import { at } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import type { Reading } from '@jackstay/contract/plan'
import type { KubeObject } from '@jackstay/kube/resources'
import { landed, untouched } from '@jackstay/mediator/settle'
import { attempt, passed, until } from './attempt.ts'
import { apply, deploymentOf, read, suffix } from './governed.ts'
import { noCluster, type World, world } from './world.ts'

const ours = 'jackstay-ours'
const lists = '/spec/template/spec/containers'

describe('what managedFields say of a write, as the API server keeps them', {
  skip: await noCluster(),
}, () => {
  let w: World
  const namespace = `settle-${suffix()}`
  const path = (name: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  before(async () => {
    w = await world()
    await apply(w, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }])
  })

  /** A Deployment of two containers that somebody applied. */
  async function made(name: string): Promise<Observed> {
    const base = deploymentOf(namespace, name, 0)
    const { selector } = Object(base.spec)
    const env = [{ name: 'A', value: '1' }]
    const ports = [{ containerPort: 80 }]
    const containers = ['app', 'side'].map((one) => ({ name: one, image: `${one}:1`, env, ports }))
    const template = { metadata: { labels: { app: name } }, spec: { containers } }
    const object = { ...base, spec: { replicas: 0, selector, template } }
    await apply(w, [object])
    const revision = '/metadata/annotations/deployment.kubernetes.io~1revision'
    let found: Observed | undefined
    await until('its controller has marked it', async () => {
      found = observed(await read(w.admin, path(name)))
      return !w.cluster.controllers || at(found, revision) !== undefined
    })
    assert.ok(found)
    return found
  }
  async function patch(name: string, body: unknown, fieldManager: string): Promise<Observed> {
    const answer = await attempt(w.admin, 'PATCH', path(name), body, { query: { fieldManager } })
    passed(answer)
    return answer.body as Observed
  }
  /** The whole list with one container's fields changed, as a merge patch needs it. */
  function containers(object: Observed, name: string, change: object) {
    const all = at(object, lists) as readonly { readonly [key: string]: Json }[]
    const changed = all.map((one) => (one.name === name ? { ...one, ...change } : one))
    return { spec: { template: { spec: { containers: changed } } } }
  }
  function change(before: Observed, after: Observed, where = lists) {
    const readings = (object: Observed): Reading[] => {
      const value = at(object, where)
      return [{ of: 'it', path: where, value: value === undefined ? 'absent' : { is: value } }]
    }
    return { before: readings(before), after: readings(after) }
  }

  it('one field of one item is ours, the others stay whose they were', async () => {
    const before = await made('image')
    const after = await patch('image', containers(before, 'side', { image: 'side:2' }), ours)
    const write = change(before, after)
    assert.ok(landed(after, write, ours) && untouched(after, write, ours))
    assert.ok(!landed(after, write, 'jackstay-other'), 'somebody else did not do it')
    assert.ok(!landed(before, write, ours), 'before it had not landed')
    const deep = change(before, after, `${lists}/1/image`)
    assert.ok(landed(after, deep, ours), 'also by the index of the item')
    assert.ok(!landed(after, change(before, after, `${lists}/1`), 'jackstay-other'))
  })

  it('a change of another item leaves the write landed, and too much touched to take back', async () => {
    const before = await made('sibling')
    const after = await patch('sibling', containers(before, 'side', { image: 'side:2' }), ours)
    const write = change(before, after)
    const later = await patch('sibling', containers(after, 'app', { image: 'app:9' }), 'somebody')
    assert.ok(landed(later, write, ours))
    assert.ok(!untouched(later, write, ours))
  })

  it('a value that somebody set to the same meanwhile is no longer ours alone', async () => {
    const before = await made('same')
    const after = await patch('same', containers(before, 'side', { image: 'side:2' }), ours)
    const write = change(before, after)
    const elsewhere = await patch(
      'same',
      containers(after, 'side', { image: 'side:3' }),
      'somebody',
    )
    assert.ok(!landed(elsewhere, write, ours))
    const back = await patch('same', containers(elsewhere, 'side', { image: 'side:2' }), 'somebody')
    assert.ok(!landed(back, write, ours), 'it has our value, and is theirs')
  })

  it('items and keys that come and go, maps, sets and atomic lists', async () => {
    const before = await made('many')
    const changed = containers(before, 'side', {
      args: ['--fast'],
      env: [{ name: 'B', value: '2' }],
      ports: [
        { containerPort: 80, protocol: 'TCP' },
        { containerPort: 81, protocol: 'TCP' },
      ],
      resources: { limits: { cpu: '1' } },
    })
    const body = {
      metadata: { annotations: { 'example.org/kept': null, 'example.org/new': 'yes' } },
      spec: {
        template: {
          metadata: { annotations: { 'example.org/at': 'now' } },
          spec: { ...changed.spec.template.spec, nodeSelector: { disk: 'fast' } },
        },
      },
    }
    const after = await patch('many', body, ours)
    for (const where of [lists, '/spec/template', '/metadata/annotations', '/spec']) {
      const write = change(before, after, where)
      assert.ok(landed(after, write, ours), where)
      assert.ok(!landed(after, write, 'jackstay-other'), where)
      assert.ok(!landed(before, write, ours), where)
    }
    const undone = await patch('many', { spec: Object(before.spec) }, `${ours}-undo`)
    const inverse = change(after, undone, '/spec/template/spec/containers')
    assert.ok(landed(undone, inverse, `${ours}-undo`) && !landed(after, inverse, `${ours}-undo`))
  })

  it('a field that somebody applies as well is not ours alone', async () => {
    const before = await made('applied')
    const after = await patch('applied', containers(before, 'side', { image: 'side:2' }), ours)
    const write = change(before, after)
    const { apiVersion, kind } = before
    const spec = { containers: [{ name: 'side', image: 'side:2' }] }
    const answer = await attempt(
      w.admin,
      'PATCH',
      path('applied'),
      { apiVersion, kind, metadata: { name: 'applied' }, spec: { template: { spec } } },
      { contentType: 'application/apply-patch+yaml', query: { fieldManager: 'applier' } },
    )
    passed(answer)
    assert.ok(!landed(answer.body as Observed, write, ours))
  })
})

function observed(object: KubeObject): Observed {
  return object as unknown as Observed
}
