import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, afterEach, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type IntentView, intentView } from '@jackstay/contract/api'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { until } from './attempt.ts'
import { jackstay } from './cli-desk.ts'
import { type FailingSync, failingSync, noFailingSync } from './failing-sync.ts'
import { type ApiCall, type FaultyApi, faultyApi, pass } from './faulty-api.ts'
import { ledgerVerdict } from './ledger-verdict.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'
import { noSmallDisk, smallDisk } from './small-disk.ts'
import { code } from './test-agent.ts'

/** A machine under load takes its time; nothing here waits for it longer than it takes. */
const patienceMs = 120_000
/** In place of the half minute that is usual. */
const staleSeconds = 5

const noSync = await noFailingSync()

describe('while what the mediator stands on fails', { skip: await noLine() }, () => {
  let directory: string
  let plan: string
  let api: FaultyApi
  let syncs: FailingSync | undefined
  let w: LineWorld
  let free: Tenant
  let asked: Tenant
  let count = 0

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-outage-'))
    plan = join(directory, 'plan')
    await writeFile(plan, '{}')
    const preload = new URL('./faulty-machine.ts', import.meta.url)
    preload.searchParams.set('plan', plan)
    api = await faultyApi()
    if (noSync === false) syncs = await failingSync(directory)
    w = await lineWorld({
      mediatorNodeFlags: ['--import', preload.href],
      ...(syncs && { mediatorEnv: syncs.env }),
      mediatorFlags: ['--stale-seconds', String(staleSeconds)],
      link: api,
    })
    free = await w.tenant({ rules: [{ name: 'allow', allow: { when: 'true' } }] })
    asked = await w.tenant()
  })
  after(async () => {
    await w?.close()
    await api?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })

  let stuck = Promise.withResolvers<void>()
  function mend(): void {
    stuck.resolve()
    stuck = Promise.withResolvers()
    api.before = () => pass
    api.after = () => pass
    api.piece = () => undefined
  }

  afterEach(async () => {
    mend()
    await machine({})
  })

  async function machine(what: object): Promise<void> {
    await writeFile(`${plan}.new`, JSON.stringify(what))
    await rename(`${plan}.new`, plan)
    // longer than `rereadMs` in faulty-machine.ts
    await sleep(50)
  }

  async function target(tenant: Tenant): Promise<string> {
    const name = `web-${++count}`
    await w.deployment(tenant, name, 2)
    return name
  }

  /** An agent that does not give up: the same bytes, until the mediator has taken them in. */
  async function insist(tenant: Tenant, body: string): Promise<string> {
    let taken: IntentView | undefined
    const sent = async () => {
      const answer = await tenant.agent.submit(body).catch(() => undefined)
      if (answer === undefined) return false
      if (answer.status === 200 || answer.status === 202) taken = intentView.parse(answer.body)
      // a refusal of the agent, not of the moment, would be for good
      else assert.ok(answer.status >= 429, code(answer))
      return taken !== undefined
    }
    await until('the intent is taken in', sent, patienceMs)
    return taken?.summary.id ?? ''
  }

  async function ended(tenant: Tenant, id: string): Promise<IntentView> {
    let view: IntentView | undefined
    const over = async () => {
      view = await tenant.agent.follow(id, 5).catch(() => undefined)
      return view?.events.at(-1)?.type === 'ended'
    }
    await until(`the intent ${id} ends`, over, patienceMs)
    if (view === undefined) throw new TypeError('unreachable')
    return view
  }

  /** One end, and on the cluster exactly what it says. */
  async function assertOne(tenant: Tenant, id: string, name: string): Promise<string> {
    const view = await ended(tenant, id)
    const phase = phaseOf(view)
    assert.equal(view.events.filter(({ type }) => type === 'ended').length, 1, phase)
    const writes = api.taken.filter((call) => call.intent === id).length
    const replicas = await w.replicas(tenant, name)
    const done = phase === 'verified/succeeded'
    const undone = phase.startsWith('rolled_back/')
    assert.deepEqual(
      { writes, replicas },
      done ? { writes: 1, replicas: 0 } : { writes: undone ? 2 : 0, replicas: 2 },
      phase,
    )
    return phase
  }

  async function ready(is: boolean): Promise<void> {
    const answers = async () => {
      const answer = await fetch(`${w.plane.mediatorUrl}/readyz`).catch(() => undefined)
      await answer?.body?.cancel()
      return answer !== undefined && answer.ok === is
    }
    await until(is ? 'ready again' : 'not ready any more', answers, patienceMs)
  }

  /** Alone back: ready, a fresh intent verifies, the whole log does too. */
  async function assertBack(t: TestContext): Promise<void> {
    const since = performance.now()
    await ready(true)
    const name = await target(free)
    const id = await insist(free, await free.agent.submission(0, { namespace: free.targets, name }))
    assert.equal(await assertOne(free, id, name), 'verified/succeeded')
    t.diagnostic(`back after ${((performance.now() - since) / 1000).toFixed(1)} s`)
    const verdict = await ledgerVerdict(w)
    assert.ok(verdict.ok, JSON.stringify(verdict))
  }

  async function severally(n: number): Promise<string[]> {
    const all = Array.from({ length: n }, async () => {
      const name = await target(free)
      const body = await free.agent.submission(0, { namespace: free.targets, name })
      const id = await insist(free, body)
      return await assertOne(free, id, name)
    })
    return await Promise.all(all)
  }

  /** An intent that waits for people, who can see what to approve. */
  async function waiting(): Promise<{ id: string; name: string }> {
    const name = await target(asked)
    const view = await asked.agent.scale(0, { namespace: asked.targets, name })
    assert.equal(phaseOf(view), 'approve')
    const { id } = view.summary
    const args = ['-n', asked.targets, 'get', 'intent', id, '-o', 'jsonpath={.status.digest}']
    await w.until(async () => (await w.kubectl(args)).stdout !== '', 'the Intent object shows')
    return { id, name }
  }

  /** A change that does not hold, and whose undo waits for a Suspension to be lifted. */
  async function heldUndo() {
    const tenant = await w.tenant({
      rules: [{ name: 'allow', allow: { when: 'true' } }],
      verifySeconds: 1,
    })
    const name = await target(tenant)
    const suspension = {
      ...{ apiVersion: groupVersion, kind: 'Suspension', metadata: { name: tenant.class } },
      spec: { class: tenant.class, undo: 'hold', reason: 'the test holds it' },
    }
    api.after = async (call) => {
      if (call.intent === undefined || !call.writes) return pass
      const stdin = JSON.stringify(suspension)
      assert.equal((await w.kubectl(['create', '-f', '-'], { stdin })).code, 0)
      api.after = () => pass
      return pass
    }
    const body = await tenant.agent.submission(3, { namespace: tenant.targets, name })
    const id = await insist(tenant, body)
    const held = async () => phaseOf(await tenant.agent.follow(id, 1)) === 'undo'
    await until('the undo is held', held, patienceMs)
    return { tenant, class: tenant.class, id, name }
  }

  it('half of all requests answered 429 or 500: one effect and one end for each intent (T45)', async (t) => {
    let n = 0
    const chance = () => ((n++ * 2_654_435_761) >>> 0) / 2 ** 32
    api.before = () => {
      const drawn = chance()
      if (drawn < 0.25) return { kind: 'answer', status: 429, retryAfter: 1 }
      return drawn < 0.4 ? { kind: 'answer', status: 500 } : pass
    }
    // done, and yet no answer that says so
    api.after = () => (chance() < 0.1 ? { kind: 'answer', status: 500 } : pass)
    const ends = severally(4)
    await until('it went on for a while', async () => n >= 150, patienceMs)
    mend()
    t.diagnostic(`${n} draws: ${(await ends).join(', ')}`)
    await assertBack(t)
  })

  it('every connection cut again and again, in the middle of intents (T45)', async (t) => {
    let seen = 0
    let cuts = 0
    api.before = () => {
      if (++seen % 5 === 0 && cuts < 6) {
        cuts++
        api.cutAll()
      }
      return pass
    }
    t.diagnostic((await severally(3)).join(', '))
    assert.equal(cuts, 6)
    mend()
    await assertBack(t)
  })

  it('slow answers: one effect, one end', async (t) => {
    api.before = async ({ watches }) => {
      if (!watches) await sleep(400)
      return pass
    }
    const [end] = await severally(1)
    assert.equal(end, 'verified/succeeded')
    mend()
    await assertBack(t)
  })

  it('credentials that the API server does not know any more: refused, until the file has others', async (t) => {
    let old: string | undefined
    api.before = (call) => {
      old ??= call.authorization
      return call.authorization === old ? { kind: 'answer', status: 401 } : pass
    }
    const name = await target(free)
    await w.until(async () => old !== undefined, 'the mediator asks something')
    const body = await free.agent.submission(0, { namespace: free.targets, name })
    const told = code(await free.agent.submit(body))
    assert.match(told, /^50[23] |^202 accepted/)
    const file = join(dirname(w.plane.logs), 'jackstay-mediator.token')
    const { token } = await w.admin.createToken('jackstay-system', 'jackstay-mediator', {
      audiences: [],
      expirationSeconds: 3600,
    })
    assert.equal(await w.replicas(free, name), 2)
    await writeFile(`${file}.test`, token, { mode: 0o600 })
    await rename(`${file}.test`, file)
    assert.equal(await assertOne(free, await insist(free, body), name), 'verified/succeeded')
    mend()
    await assertBack(t)
  })

  it('watches that are silent: nothing is allowed on what was known, and all of it goes on after (T17)', async (t) => {
    const { id, name } = await waiting()
    const read = ({ method, query }: ApiCall) => method === 'GET' && query.has('limit')
    // lists, as they follow a watch, are as stuck; every other request is answered
    const { promise } = stuck
    api.piece = (call) => (call.watches || read(call) ? promise : undefined)
    const since = performance.now()
    await w.approve(id, asked)
    await ready(false)
    t.diagnostic(`not ready after ${((performance.now() - since) / 1000).toFixed(1)} s`)
    const late = await target(free)
    const body = await free.agent.submission(0, { namespace: free.targets, name: late })
    assert.equal(code(await free.agent.submit(body)), '503 not_ready')
    assert.equal(api.taken.filter((call) => call.intent === id).length, 0)
    mend()
    assert.equal(await assertOne(asked, id, name), 'verified/succeeded')
    await assertBack(t)
  })

  it('an API server that is gone: refused meanwhile, and alone back after (T17, T45)', async (t) => {
    const { id, name } = await waiting()
    const since = performance.now()
    const gone: ApiCall[] = []
    api.before = (call) => {
      gone.push(call)
      return { kind: 'cut' }
    }
    api.cutAll()
    await w.approve(id, asked)
    await ready(false)
    const late = await target(free)
    const body = await free.agent.submission(0, { namespace: free.targets, name: late })
    assert.match(code(await free.agent.submit(body)), /^50[23] /)
    const seconds = ((performance.now() - since) / 1000).toFixed(1)
    t.diagnostic(`gone for ${seconds} s, in which ${gone.length} requests were cut`)
    mend()
    assert.equal(await assertOne(asked, id, name), 'verified/succeeded')
    await assertBack(t)
  })

  for (const minutes of [10, -10]) {
    it(`the clock set ${minutes} minutes: nothing new is taken, nothing is done twice (T09)`, async (t) => {
      const { id, name } = await waiting()
      await machine({ clockMs: minutes * 60_000 })
      const late = await target(free)
      const body = await free.agent.submission(0, { namespace: free.targets, name: late })
      assert.equal(code(await free.agent.submit(body)), '401 not_fresh')
      await w.approve(id, asked)
      await assertOne(asked, id, name)
      await machine({})
      await assertBack(t)
    })
  }

  it('a slow disk: every leaf waits for it, and every intent ends', async (t) => {
    await machine({ commitMs: 300 })
    assert.deepEqual(new Set(await severally(3)), new Set(['verified/succeeded']))
    await machine({})
    await assertBack(t)
  })

  it('a disk that fails a sync ends the process, and what was acknowledged is there (T46)', {
    skip: noSync,
  }, async (t) => {
    const { id, name } = await waiting()
    await syncs?.begin()
    await w.approve(id, asked)
    await w.plane.mediator.exited()
    assert.equal(api.taken.filter((call) => call.intent === id).length, 0, 'nothing without a leaf')
    assert.equal(await w.replicas(asked, name), 2)
    const log = await readFile(join(w.plane.logs, 'mediator.log'), 'utf8')
    assert.match(log.trimEnd().split('\n').at(-1) ?? '', /could not make a commit durable.*I\/O/i)
    // it does not come up on a disk that it cannot trust either
    await assert.rejects(w.plane.mediator.start())
    await syncs?.end()
    await w.plane.mediator.start()
    assert.equal(await assertOne(asked, id, name), 'verified/succeeded')
    await assertBack(t)
  })

  it('a full disk: nothing new, undos and stops go on, room alone mends it (T70)', {
    skip: noSmallDisk(),
  }, async (t) => {
    // a tenant that comes later edits rules, which voids what waits
    const undone = await heldUndo()
    const { id, name } = await waiting()
    await w.plane.mediator.stop()
    const disk = await smallDisk(w.plane.dataDirectory)
    t.after(async () => {
      await w.plane.mediator.stop()
      await disk[Symbol.asyncDispose]()
    })
    await w.plane.mediator.start()
    await disk.fill()
    const late = await target(free)
    const refused = async () => {
      const body = await free.agent.submission(0, { namespace: free.targets, name: late })
      const answer = await free.agent.submit(body)
      if (answer.status < 300) return false
      assert.equal(code(answer), '503 not_ready')
      assert.match(JSON.stringify(answer.body), /disk of the ledger is full: make room/)
      return true
    }
    await until('the disk is full for the ledger too', refused, patienceMs)
    await ready(false)
    const { kubeconfig } = w.cluster
    const type = (...line: string[]) => jackstay(line, { kubeconfig, server: w.plane.mediatorUrl })
    const status = await type('status')
    assert.deepEqual([status.exit, /disk of the ledger is full/.test(status.out)], [6, true])
    assert.equal((await type('why', id)).exit, 0)

    await w.approve(id, asked)
    const stuck = `"intentId":"${id}"`
    const tried = async () => {
      const log = await readFile(join(w.plane.logs, 'mediator.log'), 'utf8')
      return log.split('\n').some((line) => line.includes(stuck) && /disk .* is full/.test(line))
    }
    await until('the approved intent cannot go on', tried, patienceMs)
    assert.equal(api.taken.filter((call) => call.intent === id).length, 0)

    assert.equal((await type('resume', '--class', undone.class, '--yes')).exit, 0)
    assert.match(await assertOne(undone.tenant, undone.id, undone.name), /^rolled_back/)
    assert.equal((await type('suspend', '--class', asked.class, '--reason', 'full')).exit, 0)
    assert.ok(await refused(), 'and all that on a disk that is still full')
    assert.equal((await type('resume', '--class', asked.class, '--yes')).exit, 0)

    await disk.makeRoom()
    assert.equal(await assertOne(asked, id, name), 'verified/succeeded')
    await assertBack(t)
  })
})
