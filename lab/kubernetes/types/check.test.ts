import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { known } from './check.ts'
import { jsonKeys } from './json-keys.ts'

const deployment = 'api.apps.v1.Deployment'
const container = (fields: object) => ({
  spec: { template: { spec: { containers: [{ name: 'c', ...fields }] } } },
})

describe('the fields of built-in kinds', () => {
  it('drop what the kind does not have, and say where it was', () => {
    const { value, unknown } = known(container({ image: 'i', imagee: 'x' }), deployment)
    assert.deepEqual(value, container({ image: 'i' }))
    assert.deepEqual(unknown, ['spec.template.spec.containers[0].imagee'])
  })

  it('leave out what says nothing, where a server does so too', () => {
    const { value } = known(
      { spec: { replicas: 0, paused: false, minReadySeconds: 0 } },
      deployment,
    )
    assert.deepEqual(value, { spec: { replicas: 0 } })
  })

  it('keep free keys as they are', () => {
    const object = { metadata: { labels: { 'any/key': 'v' } } }
    assert.deepEqual(known(object, deployment), { value: object, unknown: [], wrong: undefined })
  })

  it('tell the first value of another type as a real parser does', () => {
    const wrong = (object: object, type = deployment) => known(object, type).wrong
    assert.equal(
      wrong({ spec: { replicas: 'three' } }),
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    )
    assert.equal(
      wrong({ data: { k: true } }, 'api.core.v1.ConfigMap'),
      'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string',
    )
    assert.equal(wrong(container({ ports: [{ containerPort: 80 }] })), undefined)
    assert.equal(wrong({ spec: { replicas: null } }), undefined)
  })
})

describe('the keys of a JSON text', () => {
  const twice = (text: string) =>
    jsonKeys(text).flatMap(({ path, isDuplicate }) => (isDuplicate ? [path] : []))

  it('are those that a parser keeps, and those that it does not', () => {
    assert.deepEqual(twice('{"a":{"b":1,"b":2},"c":[{"d":1},{"d":1,"d":2}],"a":3}'), [
      ...['a.b', 'c[1].d', 'a'],
    ])
  })

  it('are no words of a text that looks like them', () => {
    assert.deepEqual(twice(String.raw`{"a":"{\"b\":1,\"b\":2}","b":":,[]"}`), [])
  })
})
