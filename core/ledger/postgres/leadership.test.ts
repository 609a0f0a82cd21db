import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { JackstayError } from '@jackstay/contract/errors'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openStore, type Store } from '../store/store.ts'
import { anAppend, origin } from '../store/store-builder.ts'
import { type PostgresProxy, postgresProxy } from './proxy.ts'
import { startPostgres } from './server.ts'

const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())
let logs = 0

/** One log, and the programs that want to lead on it. */
function newLog() {
  const schema = `led_${++logs}`
  const key = ledgerKeyFrom(generateSkey(origin))
  const lost: string[] = []
  const lead = (name: string, url = server.url, patienceMs = 20_000) =>
    openStore({
      ...{ url, schema, origin, key, leads: true, patienceMs },
      fatal: ({ message }: JackstayError) => lost.push(`${name}: ${message}`),
    })
  const writer = () => openStore({ url: server.url, schema, origin, key })
  return { schema, lost, lead, writer }
}

const refused = { code: 'not_ready', status: 503, message: /another mediator leads/ }
const superseded = { code: 'draining', message: /leads on the ledger .* by now/ }

function leaf(intentId: string) {
  return anAppend({ intentId, leaves: [{ kind: 'decision', data: intentId }] })
}

/** Ends the sessions of whoever comes through the proxy, and keeps them from coming back. */
async function cutOff(proxy: PostgresProxy): Promise<void> {
  proxy.reachable(false)
  // a backend notices at its next read that nobody is there; its locks must be gone by then
  for (;;) {
    const [row] = await server.query(
      `SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory'`,
    )
    if (row?.held === 0) return
    await new Promise(setImmediate)
  }
}

describe('the one that leads on a log (T47)', () => {
  it('keeps every other away until it ends, and no writer that does not lead', async () => {
    const log = newLog()
    const first = await log.lead('first')
    await assert.rejects(log.lead('second'), refused)
    await assert.rejects(log.lead('third'), refused)
    const writer = await log.writer()
    await writer.append(leaf('by-the-writer'))
    await first.append(leaf('by-the-first'))
    await first.close()
    const next = await log.lead('next')
    await next.append(leaf('by-the-next'))
    assert.equal(await next.size(), 3)
    assert.deepEqual(log.lost, [])
    for (const store of [writer, next]) await store.close()
  })

  it('of several that start at once is one', async () => {
    const log = newLog()
    await (await log.writer()).close()
    const settled = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => log.lead(name)))
    const stores = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    assert.equal(stores.length, 1)
    for (const store of stores) await store.close()
  })

  it('takes over what its predecessor had claimed, at once', async () => {
    const log = newLog()
    const first = await log.lead('first')
    await first.append(leaf('i1'))
    const claim = await first.claim('i1', 'first', 60_000)
    await first.close()
    const next = await log.lead('next')
    const anew = await next.claim('i1', 'next', 60_000)
    assert.ok(claim && anew && anew.fence > claim.fence)
    await next.close()
  })

  it('that lost its connection writes on, where nobody else led meanwhile', async () => {
    const log = newLog()
    await using proxy = await postgresProxy(server)
    const first = await log.lead('first', proxy.url)
    await first.append(leaf('before'))
    await cutOff(proxy)
    proxy.reachable(true)
    await first.append(leaf('after'))
    await assert.rejects(log.lead('second'), refused)
    assert.deepEqual(log.lost, [])
    await first.close()
  })

  it('that was cut off while another led writes nothing and ends', async () => {
    const log = newLog()
    await using proxy = await postgresProxy(server)
    const first = await log.lead('first', proxy.url)
    const claim = await first.claim('i1', 'first', 60_000)
    await cutOff(proxy)
    const second = await log.lead('second')
    await second.append(leaf('i1'))
    proxy.reachable(true)
    const late = { ...leaf('i1'), expectedSeq: 1, fence: claim?.fence ?? 0 }
    await assert.rejects(first.append(late), superseded)
    assert.match(log.lost[0] ?? '', /^first: another mediator leads/)
    await assertHolds(second, ['i1'])
    for (const store of [first, second]) await store.close()
  })

  it('and had its transaction open when the next one began finds out in that transaction', async () => {
    const log = newLog()
    const first = await log.lead('first')
    // whatever became of the lock, the term decides
    await server.query(`UPDATE ${log.schema}.head SET term = term + 1`)
    await assert.rejects(first.append(leaf('late')), superseded)
    await assert.rejects(first.appendLeaves([{ kind: 'decision', data: 1 }]), superseded)
    await assert.rejects(first.claim('late', 'first', 1_000), superseded)
    await assertHolds(first, [])
    await first.close()
  })

  it('finds out although it has nothing to write', async () => {
    const log = newLog()
    const first = await log.lead('first')
    await server.query(`UPDATE ${log.schema}.head SET term = term + 1`)
    const end = performance.now() + 30_000
    while (log.lost.length === 0) {
      assert.ok(performance.now() < end, 'it still believes that it leads')
      await new Promise((done) => setTimeout(done, 20))
    }
    await first.close()
  })
})

async function assertHolds(store: Store, leaves: readonly string[]): Promise<void> {
  assert.equal(await store.size(), leaves.length)
  const found = await Promise.all(leaves.map((_, i) => store.leaf(i)))
  assert.deepEqual(
    found.map((one) => one?.data),
    leaves,
  )
}
