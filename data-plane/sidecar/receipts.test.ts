import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorBody, JackstayError } from '@jackstay/contract/errors'
import { keptReceipts, openReceipts } from './receipts.ts'
import {
  clockAt,
  cut,
  intentId,
  newDirectory,
  requestFor,
  startApp,
  viewIn,
} from './sidecar-world.ts'
import { openVolume } from './volume.ts'

const intent = (seq: number) => ({
  id: `019b8e25-0000-7000-8000-${String(seq).padStart(12, '0')}`,
  ...{ seq, action: 'workload.scale', target: requestFor().target },
  ...{ jws: 'a.b.c', body: '{}', token: 't', expiresAt: 0 },
})

describe('receipts', () => {
  it('keep the signature, the answer and the last that is known', async (t) => {
    const { app, post } = await startApp(t, [
      (c, { method }) => c.json(viewIn(method === 'POST' ? 'approve' : 'verified')),
    ])
    await post('/v1/actions/workload.scale', requestFor())
    const read = async () => JSON.parse(await (await app.request('/v1/receipts')).text()).receipts
    const [asked] = await read()
    assert.equal(asked.state, 'answered')
    assert.equal(asked.phase, 'approve')
    assert.match(asked.jws, /^ey/)
    await app.request(`/v1/intents/${intentId}`)
    assert.equal((await read())[0].phase, 'verified')
    const one = await app.request(`/v1/receipts/${asked.id}`)
    assert.equal(JSON.parse(await one.text()).phase, 'verified')
    assert.equal((await app.request('/v1/receipts?limit=1000')).status, 400)
  })

  it('are bounded, newest first, and outlive a restart', async (t) => {
    const volume = await openVolume(await newDirectory(t))
    const first = await openReceipts(volume, clockAt())
    for (let seq = 1; seq <= keptReceipts + 3; seq++) await first.open(intent(seq))
    await first.learn(viewIn('verified', intent(10).id))
    const again = await openReceipts(volume, clockAt())
    const list = again.list(1000)
    assert.equal(list.length, keptReceipts)
    assert.equal(list[0]?.seq, keptReceipts + 3)
    assert.equal(again.get(intent(3).id), undefined)
    assert.equal(again.get(intent(10).id)?.phase, 'verified')
    // whoever was sending it is gone: nobody knows from here
    assert.equal(again.get(intent(11).id)?.state, 'unsettled')
  })

  it('are forgotten where they are damaged, for nothing rests on them', async (t) => {
    const volume = await openVolume(await newDirectory(t))
    await volume.replace('receipt-1.json', '{"id":')
    await volume.replace('receipt-2.json', '{"id":7}')
    assert.deepEqual((await openReceipts(volume, clockAt())).list(10), [])
  })
})

describe('a submission nobody answers', () => {
  it('goes on being sent when the agent stops waiting, the same bytes, and is not lost', async (t) => {
    const gate = Promise.withResolvers<void>()
    let calls = 0
    const sleep = () => gate.promise
    const { app, post, mediator } = await startApp(
      t,
      [(c) => (calls++ === 0 ? cut() : c.json(viewIn('verified')))],
      true,
      { patienceMs: 20, sleep },
    )
    const answer = await post('/v1/actions/workload.scale', requestFor())
    assert.equal(answer.status, 504)
    const { error } = JSON.parse(await answer.text())
    assert.equal(error.code, 'outcome_unknown')
    assert.equal(error.retryAfterSeconds, 5)
    const receiptOf = async () =>
      JSON.parse(await (await app.request('/v1/receipts')).text()).receipts[0]
    const { id, state } = await receiptOf()
    assert.equal(state, 'sending')
    assert.match(error.message, new RegExp(id))
    gate.resolve()
    while ((await receiptOf()).state === 'sending') await new Promise(setImmediate)
    assert.equal((await receiptOf()).phase, 'verified')
    const sent = mediator.heard.filter(({ method }) => method === 'POST')
    assert.equal(sent.length, 2)
    assert.equal(new Set(sent.map(({ body }) => body)).size, 1)
  })

  it('is kept with its error, and when to try again is in the answer', async (t) => {
    const limited = new JackstayError('rate_limited', 'too fast', { retryAfterSeconds: 9 })
    const { app, post } = await startApp(t, [(c) => c.json(errorBody(limited), 429)])
    const answer = await post('/v1/actions/workload.scale', requestFor())
    assert.equal(answer.headers.get('retry-after'), '9')
    const [kept] = JSON.parse(await (await app.request('/v1/receipts')).text()).receipts
    assert.deepEqual(kept.error, { code: 'rate_limited', message: 'too fast' })
  })
})
