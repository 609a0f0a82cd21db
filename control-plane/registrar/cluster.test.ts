import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { connect } from '@jackstay/kube/client'
import { configFor } from '@jackstay/kube/config'
import { classesOf, keyStore, readPod } from './cluster.ts'
import type { StoredKey } from './enrol.ts'
import { newKey, podUid } from './enrolment-world.ts'

const signal = new AbortController().signal
const key = await newKey()
const namespace = 'jackstay-class-web'
const name = `pod-${podUid}`
const spec = {
  agent: `${namespace}/fixer`,
  class: 'web',
  podName: 'fixer-0',
  podUid,
  thumbprint: key.kid,
  publicKey: key.publicKey,
}
const stored: StoredKey = { namespace, name, uid: 'key-uid', spec, revoked: false }

function objectWith(status?: object, uid = 'key-uid') {
  const metadata = { name, namespace, uid, resourceVersion: '1' }
  return { apiVersion: 'jackstay.dev/v1alpha1', kind: 'AgentKey', metadata, spec, status }
}

/** An API server that answers `VERB resource` as told; anything else is a 404. */
async function start(t: TestContext, answers: Record<string, [status: number, body: object]>) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      const path = (request.url ?? '').split('?')[0] ?? ''
      const resource = /(pods|agentkeys|agentclasses)/.exec(path)?.[0]
      const [status, body] = answers[`${request.method} ${resource}`] ?? [404, failed('gone')]
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const client = connect(configFor(`http://127.0.0.1:${address.port}`), { userAgent: 'test' })
  t.after(async () => {
    await client.close()
    server.close()
  })
  return { client, bodies }
}

function failed(message: string) {
  return { kind: 'Status', message }
}

describe('keyStore', () => {
  it('creates a key that goes with its Pod', async (t) => {
    const { client, bodies } = await start(t, { 'POST agentkeys': [201, objectWith()] })
    assert.equal(await keyStore(client).create(stored, signal), 'created')
    const sent = JSON.parse(bodies[0] ?? '')
    assert.deepEqual(sent.spec, spec)
    assert.deepEqual(sent.metadata, {
      name,
      namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'fixer-0', uid: podUid }],
    })
  })

  it('tells existing, unsure and refused apart', async (t) => {
    const cases = [
      [409, 'exists'],
      [500, 'unknown'],
      [503, 'unknown'],
    ] as const
    for (const [status, expected] of cases) {
      const { client } = await start(t, { 'POST agentkeys': [status, failed('x')] })
      assert.equal(await keyStore(client).create(stored, signal), expected)
    }
    const refusals = [
      [403, 'cluster_refused'],
      [422, 'cluster_refused'],
      [404, 'not_ready'],
    ] as const
    for (const [status, code] of refusals) {
      const { client } = await start(t, { 'POST agentkeys': [status, failed('no')] })
      await assert.rejects(keyStore(client).create(stored, signal), { code })
    }
  })

  it('reads keys as they are, and refuses one that no registrar wrote', async (t) => {
    const whole = await start(t, { 'GET agentkeys': [200, objectWith({ revoked: true })] })
    const read = await keyStore(whole.client).read(namespace, name, signal)
    assert.deepEqual(read, { ...stored, revoked: true })
    const none = await start(t, {})
    assert.equal(await keyStore(none.client).read(namespace, name, signal), undefined)
    const forged = { ...objectWith(), spec: { ...spec, extra: 1 } }
    const strange = await start(t, { 'GET agentkeys': [200, forged] })
    await assert.rejects(keyStore(strange.client).read(namespace, name, signal), {
      code: 'cluster_refused',
    })
  })

  it('T08 is only sure of a revocation that was stored, or of a key that is gone', async (t) => {
    const revocation = { reason: 'second', revokedAt: '2026-01-05T12:00:00Z' }
    const revoke = async (answers: Parameters<typeof start>[1]) => {
      const { client, bodies } = await start(t, answers)
      return { why: await keyStore(client).revoke(stored, revocation), bodies }
    }
    const done = await revoke({ 'PATCH agentkeys': [200, objectWith({ revoked: true })] })
    assert.equal(done.why, undefined)
    assert.deepEqual(JSON.parse(done.bodies[0] ?? ''), {
      status: { revoked: true, ...revocation },
      metadata: { uid: 'key-uid' },
    })
    const refused: [number, object] = [422, failed('uid is immutable')]
    assert.equal((await revoke({ 'PATCH agentkeys': refused })).why, undefined, 'gone')
    const replaced = objectWith({}, 'another')
    const other = await revoke({ 'PATCH agentkeys': refused, 'GET agentkeys': [200, replaced] })
    assert.equal(other.why, undefined)
    const alive = objectWith({})
    const forbidden = { 'PATCH agentkeys': [403, failed('no right')] as [number, object] }
    const still = await revoke({ ...forbidden, 'GET agentkeys': [200, alive] })
    assert.equal(still.why, 'no right')
    const unsure = await revoke({
      'PATCH agentkeys': [500, failed('storm')],
      'GET agentkeys': [500, failed('storm')],
    })
    assert.match(unsure.why ?? '', /storm/)
  })
})

describe('classesOf', () => {
  it('finds every class that claims the namespace, also one that is wrong otherwise', async (t) => {
    const items = [
      { metadata: { name: 'web' }, spec: { namespace } },
      { metadata: { name: 'odd' }, spec: { namespace, autonomy: 'any' } },
      { metadata: { name: 'other' }, spec: { namespace: 'jackstay-class-other' } },
      { metadata: { name: 'going', deletionTimestamp: 'x' }, spec: { namespace } },
      { metadata: { name: 'empty' } },
    ]
    const list = { kind: 'AgentClassList', metadata: { resourceVersion: '1' }, items }
    const { client } = await start(t, { 'GET agentclasses': [200, list] })
    assert.deepEqual(await classesOf(client, namespace, signal), ['web', 'odd'])
  })

  it('is not ready while the kind is not installed', async (t) => {
    const { client } = await start(t, {})
    await assert.rejects(classesOf(client, namespace, signal), { code: 'not_ready' })
  })
})

describe('readPod', () => {
  it('knows what liveness needs', async (t) => {
    const object = {
      metadata: { name: 'fixer-0', namespace, uid: podUid, deletionTimestamp: 'x' },
      spec: { serviceAccountName: 'fixer' },
      status: { phase: 'Running' },
    }
    const { client } = await start(t, { 'GET pods': [200, object] })
    assert.deepEqual(await readPod(client, namespace, 'fixer-0', signal), {
      uid: podUid,
      phase: 'Running',
      serviceAccount: 'fixer',
      deletionTimestamp: 'x',
    })
    const none = await start(t, {})
    assert.equal(await readPod(none.client, namespace, 'fixer-0', signal), undefined)
  })
})
