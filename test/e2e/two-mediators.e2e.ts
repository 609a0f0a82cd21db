import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { freePorts } from '@jackstay/cluster/ports'
import { type Program, startProgram } from '@jackstay/lab/program'
import { openPostgresReader } from '@jackstay/ledger/postgres-reader'
import { type PostgresServer, startPostgres } from '@jackstay/ledger/postgres-server'
import { verifyLedger } from '@jackstay/ledger/verify'
import { until } from './attempt.ts'
import { type ApiCall, type FaultyApi, faultyApi, pass } from './faulty-api.ts'
import { vkeyOf } from './ledger-verdict.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'
import { TestAgent } from './test-agent.ts'

const patienceMs = 120_000
const main = new URL('../../control-plane/mediator/main.ts', import.meta.url).pathname

describe('a second mediator on the ledger of the first, by mistake', {
  skip: await noLine(),
}, () => {
  let directory: string
  let database: PostgresServer
  let api: FaultyApi
  let w: LineWorld
  let free: Tenant
  let asked: Tenant
  let first: number
  const seconds: Program[] = []

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-two-'))
    database = await startPostgres()
    await writeFile(urlFile(), database.url, { mode: 0o600 })
    api = await faultyApi()
    w = await lineWorld({ mediatorFlags: ['--ledger-url-file', urlFile()], link: api })
    free = await w.tenant({ rules: [{ name: 'allow', allow: { when: 'true' } }] })
    asked = await w.tenant()
    first = w.plane.mediator.pid()
  })
  after(async () => {
    for (const second of seconds) await second.kill()
    await w?.plane.mediator.kill()
    await w?.close()
    await api?.[Symbol.asyncDispose]()
    await database?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  const urlFile = () => join(directory, 'ledger.url')
  const logFile = () => join(directory, 'second.log')

  /** As the first was started, on another port, with a copy of the key. */
  async function second(): Promise<string> {
    const given = dirname(w.plane.logs)
    const data = join(directory, 'data')
    await cp(w.plane.dataDirectory, data, { recursive: true })
    const [port = 0] = await freePorts(1)
    const url = `http://127.0.0.1:${port}`
    const program = await startProgram({
      ...{ name: 'the second mediator', main, logFile: logFile(), signal: w.signal },
      readyUrl: `${url}/readyz`,
      args: [
        ...['--kubeconfig', join(given, 'jackstay-mediator.kubeconfig'), '--port', String(port)],
        ...['--data-dir', data, '--alert-token-file', join(given, 'alert.token')],
        ...['--ledger-url-file', urlFile()],
      ],
    })
    seconds.push(program)
    return url
  }

  /** What the database does by itself once nobody answers there any more. */
  async function endSessions(): Promise<void> {
    const ours = `pg_stat_activity WHERE application_name = 'jackstay-ledger'`
    await database.query(`SELECT pg_terminate_backend(pid) FROM ${ours}`)
    const gone = async () => (await database.query(`SELECT FROM ${ours}`)).length === 0
    await until('the sessions of the first are gone', gone, patienceMs)
  }

  /** Asked of the mediator at `url`. */
  async function phaseAt(url: string, { agent }: Tenant, id: string): Promise<string> {
    const { pod, key, clusterUid, urls } = agent
    const there = new TestAgent(pod, key, clusterUid, { ...urls, mediator: url })
    return phaseOf(await there.follow(id, 5))
  }

  const writesOf = (id: string) => api.taken.filter((call) => call.intent === id).length

  it('is refused in words, and the first goes on (T47)', async () => {
    await assert.rejects(second())
    const said = await readFile(logFile(), 'utf8')
    assert.match(said, /^not_ready: another mediator leads .*stop it first/m)
    await w.deployment(free, 'web-1', 2)
    const view = await free.agent.scale(0, { namespace: free.targets, name: 'web-1' })
    assert.equal(phaseOf(view), 'verified/succeeded')
  })

  it('takes over from one that was frozen in the middle of a write, which makes no other (T47)', async () => {
    await w.deployment(asked, 'web-2', 2)
    await w.deployment(free, 'web-3', 2)
    const target = { namespace: asked.targets, name: 'web-2' }
    const waiting = (await asked.agent.scale(0, target)).summary.id
    const digest = `-n ${asked.targets} get intent ${waiting} -o jsonpath={.status.digest}`.split(
      ' ',
    )
    await w.until(async () => (await w.kubectl(digest)).stdout !== '', 'the Intent object shows')

    const held = Promise.withResolvers<ApiCall>()
    const release = Promise.withResolvers<void>()
    api.before = async (call) => {
      if (call.intent === undefined || !call.writes) return pass
      api.before = () => pass
      process.kill(first, 'SIGSTOP')
      held.resolve(call)
      await release.promise
      return pass
    }
    const place = { namespace: free.targets, name: 'web-3' }
    const lost = free.agent.submit(await free.agent.submission(0, place), 0).catch(() => undefined)
    const { intent: caught = '' } = await held.promise
    await endSessions()
    const url = await second()
    await w.approve(waiting, asked)
    const done = async (tenant: Tenant, id: string) =>
      (await phaseAt(url, tenant, id)) === 'verified/succeeded'
    const both = async () => (await done(free, caught)) && (await done(asked, waiting))
    await until('the second carries on what the first began', both, patienceMs)
    assert.deepEqual([writesOf(caught), writesOf(waiting)], [1, 1])

    const taken = api.taken.length
    const passed = new Promise<void>((resolve) => {
      api.after = (call) => {
        if (call.intent === caught && call.writes) resolve()
        return pass
      }
    })
    release.resolve()
    await passed
    api.after = () => pass
    process.kill(first, 'SIGCONT')
    let ended = false
    void w.plane.mediator.exited().then(() => {
      ended = true
    })
    await until('the first ends', async () => ended, patienceMs)
    await lost
    const said = async () => {
      const log = await readFile(join(w.plane.logs, 'mediator.log'), 'utf8')
      return /^draining: another mediator leads .* by now, so this one ends/m.test(log)
    }
    await until('its last words are in its log', said)
    const later = api.taken.slice(taken).filter((call) => call.intent !== undefined)
    assert.deepEqual(later, [], 'neither the write under way nor another was taken')
    assert.deepEqual([await w.replicas(free, 'web-3'), await w.replicas(asked, 'web-2')], [0, 0])
  })

  it('and the log of both is one that verifies (T47)', async () => {
    const read = await openPostgresReader({ url: database.url })
    try {
      await seconds.at(-1)?.stop()
      // it ended in the case before, unless that one failed
      await w.plane.mediator.kill()
      await w.plane.mediator.start()
      const verdict = await verifyLedger({ read, vkey: await vkeyOf(w) })
      assert.ok(verdict.ok, JSON.stringify(verdict))
    } finally {
      await read.close()
    }
  })
})
