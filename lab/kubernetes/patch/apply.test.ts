import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '@jackstay/kube/resources'
import fc from 'fast-check'
import { type Application, applyConfiguration } from './apply.ts'
import { none } from './fields/field-set.ts'
import { managedFieldsAfter, managerOf, withManagedFields } from './managed-fields.ts'
import { applyMergePatch } from './merge-patch.ts'
import { PatchRefusal } from './refusal.ts'
import { resetFields } from './reset-fields.ts'
import { type Shape, shapeOfCustomKind, shapeOfKind } from './shapes.ts'

const made = { apiVersion: 'apps/v1', kind: 'Deployment' }
const found = shapeOfKind('apps/v1', 'Deployment')
assert.ok(found)
const shape: Shape = found

function application(manager: string, more: Partial<Application> = {}): Application {
  const time = '2026-01-02T03:04:05Z'
  return { ...made, manager, shape, subresource: '', reset: none, time, force: false, ...more }
}

function config(containers: readonly object[], spec: object = {}): KubeObject {
  return {
    ...made,
    metadata: { name: 'one' },
    spec: { ...spec, template: { spec: { containers } } },
  }
}

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'))
const container = fc.record({
  image: fc.constantFrom('x:1', 'x:2'),
  env: names.map((list) => list.map((name) => ({ name, value: 'v' }))),
})
// a Deployment without containers is none
const some = names.filter((list) => list.length > 0)
const configs = some.chain((list) =>
  fc
    .tuple(...list.map((name) => container.map((one) => ({ name, ...one }))))
    .map((all) => config(all)),
)

/** Containers and their variables, in any order. */
function namesOf({ spec }: KubeObject): readonly string[] {
  const text = JSON.stringify(spec)
  const containers: readonly { name: string; env?: readonly { name: string }[] }[] =
    JSON.parse(text).template.spec.containers ?? []
  return containers
    .flatMap(({ name, env = [] }) => [name, ...env.map((one) => `${name}/${one.name}`)])
    .sort()
}

describe('apply', () => {
  it('twice changes nothing, whatever others did before', () => {
    fc.assert(
      fc.property(configs, configs, configs, (first, other, last) => {
        const one = applyConfiguration(undefined, first, application('one'))
        const two = applyConfiguration(one, other, application('two', { force: true }))
        const before = structuredClone(two)
        const three = applyConfiguration(two, last, application('one', { force: true }))
        assert.deepEqual(two, before, 'nothing is changed in place')
        assert.deepEqual(applyConfiguration(three, last, application('one')), three)
      }),
      { numRuns: 50 },
    )
  })

  it('an only owner gets what he applies, and nothing of what he applied before', () => {
    fc.assert(
      fc.property(configs, configs, (first, last) => {
        const one = applyConfiguration(undefined, first, application('one'))
        const two = applyConfiguration(one, last, application('one'))
        const fresh = applyConfiguration(undefined, last, application('one'))
        assert.deepEqual(namesOf(two), namesOf(fresh))
        const later = application('one', { time: '2026-01-02T09:00:00Z' })
        assert.deepEqual(applyConfiguration(two, last, later), two)
      }),
    )
  })

  it('a conflict names the field and its manager, and force takes it', () => {
    const one = applyConfiguration(
      undefined,
      config([{ name: 'a', image: 'x:1' }]),
      application('one'),
    )
    const wanted = config([{ name: 'a', image: 'x:2' }])
    const field = '.spec.template.spec.containers[name="a"].image'
    assert.throws(
      () => applyConfiguration(one, wanted, application('two')),
      (error) =>
        error instanceof PatchRefusal &&
        error.code === 409 &&
        error.message === `Apply failed with 1 conflict: conflict with "one": ${field}`,
    )
    const taken = applyConfiguration(one, wanted, application('two', { force: true }))
    const owners = taken.metadata.managedFields?.map(({ manager, fieldsV1 }) => [
      manager,
      JSON.stringify(fieldsV1).includes('f:image'),
    ])
    assert.deepEqual(owners, [
      ['one', false],
      ['two', true],
    ])
  })

  it('by the object itself owns no status, by the status nothing else', () => {
    const kind = { ...made, hasStatus: true, isCustom: false }
    const both = { ...config([]), spec: { replicas: 1 }, status: { replicas: 1 } }
    const by = (subresource: string) =>
      applyConfiguration(undefined, both, {
        ...application('one', { subresource }),
        reset: resetFields(kind, subresource),
      }).metadata.managedFields?.map(({ fieldsV1 }) => fieldsV1)
    assert.deepEqual(by(''), [{ 'f:spec': { 'f:replicas': {} } }])
    assert.deepEqual(by('status'), [{ 'f:status': { 'f:replicas': {} } }])
  })

  it('of a custom kind keeps the nulls that nothing is left of, for its schema to judge', () => {
    const spec = {
      type: 'object',
      properties: {
        doors: { type: 'object', additionalProperties: { type: 'object' } },
      },
    }
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
    const definition = { metadata: {}, spec: { versions: [{ name: 'v1', schema }] } }
    const house = { apiVersion: 'x.example/v1', kind: 'House' }
    const write = application('one', { ...house, shape: shapeOfCustomKind(definition, 'v1') })
    const object = (doors: object) => ({ ...house, metadata: { name: 'one' }, spec: { doors } })
    const one = applyConfiguration(undefined, object({ front: { width: 1 } }), write)
    const two = applyConfiguration(one, object({ front: {} }), write)
    assert.deepEqual(two.spec, { doors: { front: null } })
  })
})

describe('managed fields', () => {
  const write = { ...application('any'), time: '2026-01-02T03:04:05Z' }
  const configMap = shapeOfKind('v1', 'ConfigMap') ?? {}
  const update = (
    before: KubeObject | undefined,
    patch: object,
    manager: string,
    second: number,
  ) => {
    const after: KubeObject = { metadata: {}, ...applyMergePatch(before ?? {}, patch) }
    const time = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString().replace('.000', '')
    const fields = { ...write, shape: configMap, apiVersion: 'v1', manager, time }
    return withManagedFields(after, managedFieldsAfter(before, after, fields))
  }

  it('of more than ten updaters the oldest become one', () => {
    let object = update(undefined, { data: { k: '0' } }, 'hand-0', 0)
    for (let i = 1; i < 14; i++)
      object = update(object, { data: { [`k${i}`]: '1' } }, `hand-${i}`, i)
    const entries = object.metadata.managedFields ?? []
    assert.equal(entries.length, 10)
    assert.equal(entries[0]?.manager, 'ancient-changes')
    const owned = JSON.stringify(entries[0]?.fieldsV1)
    for (const key of ['f:k', 'f:k1', 'f:k4']) assert.ok(owned.includes(`"${key}"`), owned)
  })

  it('an entry without a field is none, and a removal owns nothing', () => {
    const one = update(undefined, { data: { a: '1' } }, 'one', 0)
    const two = update(one, { data: { a: '2' } }, 'two', 1)
    // `one` keeps `data` itself
    assert.deepEqual(
      two.metadata.managedFields?.map(({ manager }) => manager),
      ['one', 'two'],
    )
    const three = update(two, { data: null }, 'three', 2)
    assert.equal(three.metadata.managedFields, undefined)
  })

  it('who writes is named by the request or by its user agent', () => {
    assert.equal(managerOf('me', 'kubectl/v1'), 'me')
    assert.equal(managerOf('', 'kubectl/v1.37 (linux)'), 'kubectl')
    assert.equal(managerOf(undefined, 'curl\u0000 \u0007x'), 'curl x')
    assert.equal(managerOf(undefined, undefined), 'unknown')
  })
})
