import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromProtobuf } from './protobuf.ts'

// what a kubectl sent, but for the names
const bytes = (number: number, value: string | Buffer): Buffer => {
  const content = Buffer.from(value)
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content])
}
const integer = (number: number, value: number) => Buffer.from([number << 3, value])
const all = Buffer.concat
const written = (apiVersion: string, kind: string, raw: Buffer) =>
  all([Buffer.from('k8s\0'), bytes(1, all([bytes(1, apiVersion), bytes(2, kind)])), bytes(2, raw)])

describe('an object in protobuf', () => {
  it('is what it would be in JSON, empty fields left out', () => {
    const labels = all([bytes(1, 'app'), bytes(2, 'web')])
    const metadata = all([bytes(1, 'web'), bytes(3, ''), bytes(8, ''), bytes(11, labels)])
    const spec = all([integer(1, 3), integer(5, 0), integer(7, 0)])
    const read = fromProtobuf(
      written('apps/v1', 'Deployment', all([bytes(1, metadata), bytes(2, spec)])),
    )
    assert.deepEqual(read, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 3 } },
      metadata: { name: 'web', labels: { app: 'web' } },
    })
  })

  it('has the fields of messages that JSON does not name', () => {
    // a volume of a Secret: its source is a message of its own here
    const source = bytes(6, bytes(1, 'hidden'))
    const volume = all([bytes(1, 'v'), bytes(2, source)])
    const read = fromProtobuf(written('v1', 'Pod', bytes(2, bytes(1, volume))))
    assert.deepEqual(read.spec, { volumes: [{ name: 'v', secret: { secretName: 'hidden' } }] })
  })

  it('is refused where it is none, or ends too early', () => {
    const cut = written('v1', 'Pod', bytes(1, 'x')).subarray(0, -1)
    for (const wrong of [Buffer.from('{}'), cut, written('v1', 'None', Buffer.alloc(0))]) {
      assert.throws(() => fromProtobuf(wrong), RangeError)
    }
  })
})
