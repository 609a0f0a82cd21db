import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type IntentView, intentView } from '@jackstay/contract/api'
import { type ApiCall, type FaultyApi, faultyApi, pass } from './faulty-api.ts'
import { ledgerVerdict } from './ledger-verdict.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'

/** Where the mediator dies: at a commit of the ledger, or at a write to the API server. */
type Point =
  | { readonly commit: `${'before' | 'after'}:${string}` }
  | { readonly api: 'before' | 'after'; readonly call: string }

const calls: Readonly<Record<string, (call: ApiCall) => boolean>> = {
  'the write': (call) => call.intent !== undefined && call.writes,
}

/** A few of all points: crash.test.ts dies at every one, with fakes in place of disk and API server. */
const change: readonly Point[] = [
  { commit: 'before:authenticated' },
  { commit: 'after:authenticated' },
  { commit: 'after:dispatched' },
  { api: 'before', call: 'the write' },
  { api: 'after', call: 'the write' },
  { commit: 'after:written' },
  { commit: 'before:ended' },
]

function named(point: Point): string {
  return 'commit' in point
    ? `${point.commit.replace(':', ' the commit of `')}\``
    : `${point.api} ${point.call} at the API server`
}

describe('the mediator killed at', { skip: await noLine() }, () => {
  let directory: string
  let plan: string
  let api: FaultyApi
  let w: LineWorld
  let free: Tenant
  let hasty: Tenant
  let count = 0

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-crash-'))
    plan = join(directory, 'plan')
    await writeFile(plan, 'never')
    const preload = new URL('./crash-at-commit.ts', import.meta.url)
    preload.searchParams.set('plan', plan)
    api = await faultyApi()
    w = await lineWorld({
      mediatorNodeFlags: ['--import', preload.href],
      link: api,
    })
    const rules = [{ name: 'allow', allow: { when: 'true' } }]
    free = await w.tenant({ rules })
    hasty = await w.tenant({ rules, verifySeconds: 1 })
  })
  after(async () => {
    await w?.close()
    await api?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })

  /** From the n-th such call on. */
  async function arm(point: Point, nth = 1): Promise<void> {
    if ('commit' in point) return await writeFile(plan, point.commit)
    let left = nth
    api[point.api] = async (call: ApiCall) => {
      if (calls[point.call]?.(call) !== true || --left !== 0) return pass
      await w.plane.mediator.kill()
      return { kind: 'cut' }
    }
  }

  async function dieAndStart(): Promise<void> {
    const late = sleep(30_000, 'late' as const, { ref: false })
    assert.notEqual(await Promise.race([w.plane.mediator.exited(), late]), 'late', 'it never died')
    await writeFile(plan, 'never')
    api.before = () => pass
    api.after = () => pass
    await w.plane.mediator.start()
  }

  /** What an agent does that got no answer: it sends the same bytes again. */
  async function send(tenant: Tenant, body: string): Promise<IntentView> {
    const { status, body: answer } = await tenant.agent.submit(body, 30)
    assert.ok(status === 200 || status === 202, `${status}: ${JSON.stringify(answer)}`)
    return intentView.parse(answer)
  }

  async function generation(tenant: Tenant, name: string): Promise<number> {
    const args = ['-n', tenant.targets, 'get', 'deployment', name]
    return Number((await w.kubectl([...args, '-o', 'jsonpath={.metadata.generation}'])).stdout)
  }

  /** One end, nothing twice on record, every leaf of a course there, and the whole log verifies. */
  async function assertHistory(view: IntentView, ends: string): Promise<void> {
    assert.equal(phaseOf(view), ends)
    const types = view.events.map((event) => event.type)
    assert.equal(types.filter((type) => type === 'ended').length, 1, types.join(' '))
    assert.equal(types.at(-1), 'ended')
    assert.equal(new Set(view.events.map((event) => event.seq)).size, types.length)
    const leaves = view.events.flatMap((event) => event.leafIndexes)
    assert.ok(leaves.length >= 3, `decision, dispatch, outcome: ${JSON.stringify(view.events)}`)
    const verdict = await ledgerVerdict(w)
    assert.ok(verdict.ok, JSON.stringify(verdict))
    assert.ok(leaves.every((index) => index < verdict.size))
  }

  function writesOf(view: IntentView): number {
    return api.taken.filter((call) => call.intent === view.summary.id).length
  }

  /** Sends an intent, lets the mediator die at the point, starts it, and sends the same bytes again. */
  async function dieAt(point: Point, tenant: Tenant, replicas: number, nth = 1) {
    const name = `web-${++count}`
    await w.deployment(tenant, name, 2)
    const body = await tenant.agent.submission(replicas, { namespace: tenant.targets, name })
    await arm(point, nth)
    const lost = tenant.agent.submit(body, 30).catch(() => undefined)
    await dieAndStart()
    await lost
    return { name, view: await send(tenant, body) }
  }

  for (const point of change) {
    it(`${named(point)}: one effect, one end, no lost leaf (T45, T46)`, async () => {
      const { name, view } = await dieAt(point, free, 0)
      await assertHistory(view, 'verified/succeeded')
      assert.equal(writesOf(view), 1)
      assert.equal(await generation(free, name), 2)
    })
  }

  it('after the write that takes back: undone once (T45, T46)', async () => {
    const { name, view } = await dieAt({ api: 'after', call: 'the write' }, hasty, 3, 2)
    await assertHistory(view, 'rolled_back/undone')
    assert.equal(writesOf(view), 2)
    assert.equal(await generation(hasty, name), 3)
    assert.equal(await w.replicas(hasty, name), 2)
  })
})
