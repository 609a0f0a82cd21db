import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { postgresProxy } from './proxy.ts'
import { PostgresReads } from './reads.ts'
import { startPostgres } from './server.ts'
import { postgresTarget, schemaName } from './url.ts'

const server = await startPostgres()
after(() => server[Symbol.asyncDispose]())

const now = { name: 'now', text: 'SELECT 1 AS one' }
const slow = { name: 'slow', text: 'SELECT 1 AS one FROM pg_sleep(0.5)' }
const long = { name: 'long', text: 'SELECT length($1) AS characters' }
/** More than the buffers of a socket hold, so that it is still being sent a moment later. */
const muchText = 'x'.repeat(32 * 1024 * 1024)

async function untilRuns({ text }: { readonly text: string }): Promise<void> {
  const end = performance.now() + 30_000
  const running = `SELECT FROM pg_stat_activity WHERE state = 'active' AND query = '${text}'`
  while ((await server.query(running)).length === 0) {
    assert.ok(performance.now() < end, 'the read does not begin')
    await pause(10)
  }
}

/** An error that nobody handles fails the test it happens in, as it would end a program. */
describe('a read whose connection is lost is done again', () => {
  it('when the server works on it', async () => {
    await using proxy = await postgresProxy(server)
    const target = await postgresTarget(proxy.url)
    const reads = new PostgresReads({ target, schema: schemaName('public') })
    const read = reads.run(slow)
    await untilRuns(slow)
    proxy.reachable(false)
    proxy.reachable(true)
    assert.deepEqual((await read).rows, [{ one: 1 }])
    await reads.close()
  })

  it('in the middle of a write to the socket', async () => {
    await using proxy = await postgresProxy(server)
    const target = await postgresTarget(proxy.url)
    const reads = new PostgresReads({ target, schema: schemaName('public') })
    await reads.run(now)
    const read = reads.run(long, [muchText])
    // it has taken the idle connection and begun to send by now
    await new Promise(setImmediate)
    proxy.reachable(false)
    proxy.reachable(true)
    assert.deepEqual((await read).rows, [{ characters: muchText.length }])
    await reads.close()
  })

  it('when the database ends its session', async () => {
    const target = await postgresTarget(server.url)
    const reads = new PostgresReads({ target, schema: schemaName('public') })
    const read = reads.run(slow)
    await untilRuns(slow)
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = '${slow.text}'`,
    )
    assert.deepEqual((await read).rows, [{ one: 1 }])
    await reads.close()
  })
})
