import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { historyKinds, podLogs, readableKinds, readRoles } from './readable.ts'
import { reads } from './reads.ts'

const pods = { kind: 'Pod', namespace: 'shop' }

describe('what agents can read', () => {
  it('T25 T38 holds no kind whose data is secret, each kind once, in fixed roles', () => {
    for (const { kind, role } of readableKinds) {
      assert.doesNotMatch(kind, /Secret|ConfigMap|Token|Role|Account|Agent|Review|Config/)
      assert.ok(role in readRoles)
    }
    const kinds = readableKinds.map(({ kind }) => kind)
    assert.equal(new Set(kinds).size, kinds.length)
    assert.ok(historyKinds.every((kind) => kinds.includes(kind)))
  })

  it('T36 names one subresource, the logs', () => {
    const resources = readableKinds.map(({ resource }) => resource)
    assert.deepEqual(
      [...resources, podLogs.resource].filter((resource) => resource.includes('/')),
      ['pods/log'],
    )
  })
})

describe('questions', () => {
  it('are bounded: one namespace, one page of at most 100, one day of words', () => {
    const { list, get, logs, events, history } = reads
    assert.equal(list.request.parse(pods).limit, 50)
    const wrong: readonly (readonly [z.ZodType, Record<string, unknown>])[] = [
      [list.request, { ...pods, limit: 101 }],
      [list.request, { ...pods, limit: 0 }],
      [list.request, { ...pods, namespace: '*' }],
      [list.request, { ...pods, namespace: '../kube-system' }],
      [list.request, { ...pods, fieldSelector: 'x' }],
      [list.request, { ...pods, labelSelector: 'x'.repeat(2000) }],
      [list.request, { ...pods, continue: 'x'.repeat(5000) }],
      [logs.request, { namespace: 'shop', name: 'web-0', tail: 1001 }],
      [logs.request, { namespace: 'shop', name: 'web-0', since: '999h' }],
      [logs.request, { namespace: 'shop', name: 'web-0', container: 'app?x=1' }],
      [events.request, { namespace: 'shop', name: 'web' }],
      [history.request, { kind: 'Pod', namespace: 'shop', name: 'web' }],
      ...['', '..', 'a/b', 'web?x=1', 'Web'].map(
        (name) => [get.request, { ...pods, name }] as const,
      ),
    ]
    for (const [schema, one] of wrong) {
      assert.equal(schema.safeParse(one).success, false, JSON.stringify(one))
    }
  })

  it('and answers have a JSON Schema, which MCP shows to models', () => {
    for (const { request, answer } of Object.values(reads)) {
      for (const [schema, io] of [
        [request, 'input'],
        [answer, 'output'],
      ] as const) {
        assert.equal(z.toJSONSchema(schema, { io }).type, 'object')
      }
    }
  })
})
