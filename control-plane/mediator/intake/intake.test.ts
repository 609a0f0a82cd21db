import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { reasoningDigest } from '@jackstay/contract/intent'
import { sha256 } from '@jackstay/contract/json'
import { publicKey, sign, thumbprintOf } from '@jackstay/contract/signing'
import type { Trigger } from '@jackstay/contract/trigger'
import { rateLimiter } from '@jackstay/service/rate'
import { redactor } from '@jackstay/service/redact'
import { begin, readRecord } from '../memory/histories.ts'
import { journal } from '../memory/journal.ts'
import { decisionLeaf } from '../memory/leaves.ts'
import { storeFor } from '../memory/store-builder.ts'
import { type IntakePorts, takeIn } from './intake.ts'
import { takeUp } from './intent-routes.ts'

const held = 'hunter2+token/äöü=='
const now = Date.parse('2026-01-01T12:00:00Z')
const uid = '11111111-1111-4111-8111-111111111111'
const id = '01890a5d-ac96-7000-8000-000000000001'
const agent = { namespace: 'jackstay-class-a', name: 'agent' }
const token = 'a-token'

/** A mediator's door with one enrolled agent, a store of its own, and an agent that speaks. */
async function door(t: TestContext, annotations: Trigger['annotations'] = {}) {
  const clock = { now: () => now }
  const { directory, store } = await storeFor(t, clock)
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  assert.ok('privateKey' in pair)
  const { crv, kty, x } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const enrolled = publicKey.parse({ crv, kty, x })
  const kid = await thumbprintOf(enrolled)
  const pod = { uid, name: 'agent-0' }
  const trigger: Trigger = {
    ...{ id, source: 'alertmanager', status: 'firing', fingerprint: 'f', groupKey: held },
    ...{ startsAt: 'x', receivedAt: 'x', labels: { alertname: held }, annotations },
  }
  const keyView = {
    ...{ namespace: agent.namespace, agent: `${agent.namespace}/${agent.name}`, class: 'a' },
    ...{ podName: pod.name, podUid: uid, thumbprint: kid, publicKey: enrolled, revoked: false },
  }
  const told = journal()
  const ports: IntakePorts = {
    ...{ clock, intentsFrom: 0, clusterUid: uid, store, redact: redactor(() => [held]) },
    floodgate: rateLimiter({ perSecond: 1, burst: 1, maxKeys: 1, clock: clock.now }),
    journal: told,
    begin: async (first) => {
      const parts = { store, journal: told }
      return (await begin(parts, 'this', first.data.claims.jti, [first], [])).record
    },
    triggers: { get: async () => trigger, acknowledge: async () => undefined },
    onOutright: () => undefined,
    identify: async () => ({ kind: 'serviceaccount', ...agent, username: '', groups: [], pod }),
    cluster: {
      synced: () => true,
      key: () => keyView,
      pod: () => ({ uid, phase: 'Running' }),
    },
  }
  const take = async (summary: string, uri = 'prometheus:x', through = ports) => {
    const evidence = [{ uri, digest: sha256('x') }]
    const reasoning = { summary, evidence, salt: '0'.repeat(32) }
    const claims = {
      ...{ v: 1, jti: id, seq: 1, iss: keyView.agent, sub: uid, aud: uid },
      ...{ iat: now / 1000, exp: now / 1000 + 60, ath: sha256(token), action: 'workload.scale' },
      target: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      params: { replicas: 5 },
      trigger: { id },
      reasoning: { digest: reasoningDigest(reasoning) },
    }
    const jws = await sign('jackstay-intent+jws', claims, { kid, privateKey: pair.privateKey })
    return takeIn({ jws, reasoning }, token, through)
  }
  const say = async (summary: string, uri?: string) => {
    await take(summary, uri)
    return readRecord(store, id)
  }
  return { directory, store, say, take, ports }
}

const forms = {
  plain: held,
  base64: Buffer.from(held).toString('base64'),
  'base64 of more': Buffer.from(`user:${held}!`).toString('base64'),
  hex: Buffer.from(held).toString('hex'),
  'url, encoded': `https://x/?t=${encodeURIComponent(held)}`,
  'split by lines': `${held.slice(0, 6)}\n${held.slice(6)}`,
  'split by zero-width characters': [...held].join('\u200b'),
}

for (const [name, form] of Object.entries(forms)) {
  test(`T71 a held secret, ${name}, is gone before anything is stored or hashed`, async (t) => {
    const { directory, store, say } = await door(t, { summary: form })
    const record = await say(`because ${form} told me`, `x:${form}`)
    const { reasoning, trigger } = record.authenticated
    assert.match(reasoning?.summary ?? '', /^because .*\[redacted\].* told me$/)
    assert.match(reasoning?.evidence[0]?.uri ?? '', /\[redacted\]/)
    assert.match(trigger?.annotations.summary ?? '', /\[redacted\]/)
    assert.match(trigger?.labels.alertname ?? '', /\[redacted\]/)
    const verdict = { outcome: 'refused/denied', message: 'no' }
    const leaf = decisionLeaf(record, { clusterUid: uid, at: now }, 'admit', verdict)
    await store.appendLeaves([leaf])
    const files = await readdir(directory)
    const bytes = await Promise.all(files.map((file) => readFile(join(directory, file))))
    for (const part of [held, form]) {
      assert.ok(!bytes.some((file) => file.includes(part)), `${part} is in the store`)
    }
  })
}

test('T71 line breaks, ANSI and bidi marks are escaped before they are stored or hashed', async (t) => {
  const { say } = await door(t, { summary: '\u001b[31mred\u001b[0m' })
  const record = await say('a\r\nb\u001b[2Jc\u202ed\u200be')
  const { reasoning, trigger } = record.authenticated
  assert.equal(reasoning?.summary, 'a b\\u{1b}[2Jc\\u{202e}d\\u{200b}e')
  assert.equal(trigger?.annotations.summary, '\\u{1b}[31mred\\u{1b}[0m')
  const verdict = { outcome: 'x', message: 'no' }
  const { sealed } = decisionLeaf(record, { clusterUid: uid, at: now }, 'admit', verdict)
  assert.deepEqual(sealed.reasoning, reasoning)
})

test('T71 escaping cannot make a text longer than its limit', async (t) => {
  const { say } = await door(t, { summary: '\u0007'.repeat(4096) })
  const { reasoning, trigger } = (await say('\u0007'.repeat(1024))).authenticated
  assert.equal(reasoning?.summary.length, 1024)
  assert.equal(trigger?.annotations.summary?.length, 4096)
})

test('what was put on record without an answer is handed to the driver until it ends (T45)', async (t) => {
  const { store, take, ports } = await door(t)
  const deaf: IntakePorts['begin'] = async (first) => {
    await ports.begin(first)
    throw new JackstayError('outcome_unknown', 'the connection was cut')
  }
  const taken = await take('because', undefined, { ...ports, begin: deaf })
  assert.deepEqual(taken, { id, begun: undefined })
  const driven: string[] = []
  const parts = {
    store,
    journal: ports.journal,
    driver: { takeUp: (one: string) => driven.push(one) },
  }
  await takeUp(parts, id)
  assert.deepEqual(driven, [id])
  const events = [{ type: 'ended', at: '2026-01-01T12:00:01Z', data: {} }]
  const end = { expectedSeq: 1, events, leaves: [], phase: 'failed', terminal: true }
  await store.append({ intentId: id, ...end })
  await takeUp(parts, id)
  assert.deepEqual(driven, [id], 'what has ended is left alone')
})
