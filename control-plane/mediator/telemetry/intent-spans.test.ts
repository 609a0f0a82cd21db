import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { id } from '../line/asked-builder.ts'
import { askPeople, Line } from '../line/line-builder.ts'
import { intentSpans } from './intent-spans.ts'

describe('the trace of an intent', () => {
  it('has no span before the intent has ended', async () => {
    const line = new Line()
    line.policies = [askPeople]
    await line.go()
    assert.deepEqual(intentSpans(line.record()), [])
  })

  it('is one span, below it one for each stage, below that of the writes one for each', async () => {
    const line = new Line()
    line.cluster.available = 5
    assert.equal(await line.toEnd(), 'verified/succeeded')
    const spans = intentSpans(line.record())
    const [root] = spans
    assert.equal(root?.traceId, id.replaceAll('-', ''))
    assert.equal(root?.name, 'intent workload.scale')
    assert.equal(root?.failed, undefined)
    const below = (parent: string | undefined) =>
      spans.filter(({ parentSpanId }) => parentSpanId === parent)
    const stages = below(root?.spanId)
    assert.deepEqual(
      stages.map(({ name }) => name),
      ['admit', 'plan', 'decide', 'rehearse', 'dispatch', 'execute', 'verify'],
    )
    const execute = stages.find(({ name }) => name === 'execute')
    const [write, ...others] = below(execute?.spanId)
    assert.deepEqual(others, [])
    assert.equal(write?.attributes['jackstay.object'], 'Deployment shop/web')
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length)
    assert.ok(spans.every(({ startMs, endMs }) => startMs <= endMs))
  })

  it('says where it failed, and that what was written was taken back', async () => {
    const line = new Line()
    assert.equal(await line.toEnd(), 'rolled_back/undone')
    const spans = intentSpans(line.record())
    assert.deepEqual(
      spans.flatMap(({ name, failed }) => (failed === undefined ? [] : [`${name}: ${failed}`])),
      ['intent workload.scale: undone', 'undo: undone'],
    )
    assert.deepEqual(
      spans
        .filter(({ name }) => name.startsWith('write'))
        .map(({ attributes }) => attributes['jackstay.outcome']),
      ['applied', 'applied'],
    )
  })
})
