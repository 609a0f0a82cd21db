import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { asObject, type KubeObject } from '@jackstay/kube/resources'
import { parse } from 'yaml'
import { forCreate, forStatus, forUpdate } from '../resources/subresources.ts'
import { customKinds } from './custom-kind.ts'
import { definitionStatus } from './established.ts'

const folder = new URL('../../../charts/jackstay/crds/', import.meta.url)

async function chartKind(file: string) {
  const crd = asObject(parse(await readFile(new URL(file, folder), 'utf8')))
  const [kind] = customKinds(crd)
  assert.ok(kind)
  return { crd, ...kind }
}

const approval = (spec: object, more: object = {}): KubeObject => ({
  apiVersion: 'jackstay.dev/v1alpha1',
  kind: 'Approval',
  metadata: { name: 'a', namespace: 'n' },
  spec: {
    subject: { kind: 'Intent', name: 'x', uid: '00000000-0000-4000-8000-000000000000' },
    digest: `sha256:${'0'.repeat(64)}`,
    verdict: 'approve',
    approver: 'ann',
    groups: [],
    reason: 'the graphs agree',
    ...spec,
  },
  ...more,
})

describe('custom kinds', () => {
  it('are all that the chart defines', async () => {
    for (const file of await readdir(folder)) {
      const { resource } = await chartKind(file)
      assert.equal(`${resource.plural}.yaml`, file)
      assert.equal(resource.columns[0]?.name, 'Name')
    }
  })

  it('say what is wrong in the API server’s words', async () => {
    const { validate, validateUpdate } = (await chartKind('approvals.yaml')).resource.strategy
    assert.deepEqual(validate?.(approval({})), [])
    assert.deepEqual(validate?.(approval({ verdict: 'maybe', approver: 'system:x' })), [
      {
        field: 'spec.verdict',
        reason: 'FieldValueNotSupported',
        message: 'Unsupported value: "maybe": supported values: "approve", "reject"',
      },
      {
        field: '<nil>',
        reason: 'FieldValueInvalid',
        message:
          'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      },
    ])
    assert.deepEqual(validate?.(approval({ approver: 'system:x' })), [
      {
        field: 'spec.approver',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "system:x": an approver is a person, not a `system:` identity',
      },
    ])
    assert.deepEqual(validateUpdate?.(approval({}), approval({})), [])
    assert.match(
      validateUpdate?.(approval({ approver: 'bob' }), approval({}))[0]?.message ?? '',
      /never changes/,
    )
  })

  it('let what was wrong before be, as long as it does not change', async () => {
    const { validateUpdate } = (await chartKind('approvals.yaml')).resource.strategy
    const wrong = approval({ verdict: 'maybe' })
    assert.deepEqual(validateUpdate?.({ ...wrong, status: {} }, wrong), [])
  })

  it('print the columns of their definition', async () => {
    const { columns } = (await chartKind('agentclasses.yaml')).resource
    const cells = (object: KubeObject) =>
      Object.fromEntries(
        columns.map(({ name, cell }) => [name, cell(object, Date.UTC(2026, 0, 2))]),
      )
    const metadata = { name: 'one', creationTimestamp: '2026-01-01T00:00:00Z' }
    const conditions = [
      { type: 'Granted', status: 'False' },
      { type: 'Ready', status: 'True', message: 'all is well' },
    ]
    const printed = cells({ metadata, spec: { autonomy: 'observe' }, status: { conditions } })
    assert.equal(printed.Name, 'one')
    assert.equal(printed.Ready, 'True')
    assert.equal(printed.Granted, 'False')
    assert.equal(printed.Why, 'all is well')
    assert.equal(printed.Autonomy, 'observe')
    assert.equal(printed.Age, '24h')
    assert.equal(cells({ metadata }).Ready, null)
  })

  it('keep status and all else apart', async () => {
    const { resource } = await chartKind('agentclasses.yaml')
    const [old, other] = [{ phase: 'old' }, { phase: 'new' }]
    const before = approval({}, { status: old })
    const changed = approval({ approver: 'bob' }, { status: other })
    assert.equal(forCreate(changed, resource).status, undefined)
    assert.deepEqual(forUpdate(changed, before, resource).status, old)
    assert.deepEqual(forUpdate(changed, before, resource).spec, changed.spec)
    assert.deepEqual(forStatus(changed, before).status, other)
    assert.deepEqual(forStatus(changed, before).spec, before.spec)
    assert.deepEqual(forUpdate(changed, before, { subresources: [] }), changed)
  })

  it('are established unless their names are taken', async () => {
    const { crd } = await chartKind('approvals.yaml')
    const now = '2026-01-01T00:00:00Z'
    const types = (others: readonly KubeObject[]) => {
      const { conditions } = definitionStatus(crd, others, now)
      assert.ok(Array.isArray(conditions))
      return conditions.map(({ type, status }) => `${type}=${status}`)
    }
    assert.deepEqual(types([crd]), ['NamesAccepted=True', 'Established=True'])
    const rival = { ...crd, metadata: { name: 'rivals.jackstay.dev' } }
    assert.deepEqual(types([rival]), ['NamesAccepted=False', 'Established=False'])
  })
})
