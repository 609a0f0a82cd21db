import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type BreakerView, breakerList, intentView } from '@jackstay/contract/api'
import { jackstay } from './cli-desk.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'
import type { TestAgent } from './test-agent.ts'

const openMs = 4_000

describe('breakers on a real API server', { skip: await noLine() }, () => {
  let w: LineWorld
  let directory: string
  let tenant: Tenant
  let quiet: Tenant
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-breakers-'))
    const file = join(directory, 'breakers.json')
    const refused = { atLeast: 5, withinMs: 300_000, share: 0.8 }
    const flood = { atLeast: 10, withinMs: 60_000, share: 0 }
    const agent = { openMs, rules: { refused, flood } }
    await writeFile(file, JSON.stringify({ agent }))
    w = await lineWorld({ mediatorFlags: ['--breakers', file] })
    const when = 'has(intent.params.replicas) && intent.params.replicas < 5'
    const rules = [{ name: 'allow', allow: { when } }]
    tenant = await w.tenant({ rules })
    // nothing becomes ready here, and nobody has to wait for it
    quiet = await w.tenant({ rules, verifySeconds: 2 })
    await w.deployment(tenant, 'web', 1)
    await w.deployment(quiet, 'web', 1)
  })
  after(async () => {
    await w?.close()
    await rm(directory, { recursive: true, force: true })
  })

  function target({ targets }: Tenant) {
    return { namespace: targets, name: 'web' }
  }

  async function seenBy(agent: TestAgent): Promise<readonly BreakerView[]> {
    const headers = { authorization: `Bearer ${await agent.token('intent')}` }
    const answer = await fetch(`${w.plane.mediatorUrl}/v1/breakers`, { headers })
    return breakerList.parse(await answer.json()).breakers
  }

  async function untilRefusedByBreaker(): Promise<string> {
    for (let i = 0; i < 8; i++) {
      const view = await tenant.agent.scale(9, target(tenant))
      if (phaseOf(view) !== 'refused/denied') return phaseOf(view)
    }
    return 'never'
  }

  it('one agent trips its own and nobody else’s; one probe decides; a crash changes nothing (T74)', async () => {
    assert.equal(await untilRefusedByBreaker(), 'refused/breaker_open')
    const [mine, ...others] = await seenBy(tenant.agent)
    assert.deepEqual(others, [])
    assert.equal(mine?.key, `${tenant.namespace}/agent`)
    assert.equal(mine?.cause, 'refused')
    assert.deepEqual(await seenBy(quiet.agent), [], 'what another class does is not shown')
    const fine = await quiet.agent.scale(2, target(quiet))
    assert.notEqual(phaseOf(fine), 'refused/breaker_open')

    await w.plane.mediator.kill()
    await w.plane.mediator.start()
    const [kept] = await seenBy(tenant.agent)
    assert.equal(kept?.openedAt, mine?.openedAt, 'the same one, still open')

    // time is up by the breaker's own word
    await w.until(async () => (await seenBy(tenant.agent))[0]?.state === 'half-open', 'half-open')
    const bodies = await Promise.all(
      Array.from({ length: 7 }, () => tenant.agent.submission(9, target(tenant))),
    )
    const answers = await Promise.all(bodies.map((body) => tenant.agent.submit(body, 30)))
    const phases = answers.map(({ body }) => phaseOf(intentView.parse(body)))
    assert.equal(phases.filter((p) => p === 'refused/denied').length, 1, phases.join())
    assert.equal(phases.filter((p) => p === 'refused/breaker_open').length, 6)
    const [again] = await seenBy(tenant.agent)
    const lasts = Date.parse(again?.retryAt ?? '') - Date.parse(again?.openedAt ?? '')
    assert.equal(lasts, openMs * 2, 'the probe failed, so it is open for longer')
  })

  it('stand in the class’s conditions and in Events, until a person resets them', async () => {
    if ((await seenBy(tenant.agent)).every(({ state }) => state === 'closed')) {
      assert.equal(await untilRefusedByBreaker(), 'refused/breaker_open')
    }
    const name = `agentclass/${tenant.class}`
    const condition = (status: string) => [
      ...['wait', name, '--timeout=60s', `--for=condition=BreakersClosed=${status}`],
    ]
    assert.equal((await w.kubectl(condition('False'))).code, 0)
    const events = () =>
      w.kubectl([
        '-n',
        'default',
        'get',
        'events',
        '-o',
        'jsonpath={.items[*].note} {.items[*].message}',
      ])
    await w.until(async () => {
      const { stdout } = await events()
      return stdout.includes(`the breaker of the agent \`${tenant.namespace}/agent\` is open`)
    }, 'an Event about the breaker')
    const reset = (kubeconfig: string, ...more: string[]) =>
      jackstay(['breakers', 'reset', tenant.class, ...more], { kubeconfig })
    const stranger = await w.person('nobody-in-particular')
    const refused = await reset(stranger.kubeconfig)
    assert.equal(refused.exit, 3, refused.err)
    assert.match(refused.err, /whoever may patch the class resets its breakers: .*\[forbidden\]/)
    const half = await reset(w.cluster.kubeconfig, '--scope', 'agent')
    assert.equal(half.exit, 2, half.err)
    const one = ['--scope', 'agent', '--key', `${tenant.namespace}/agent`]
    const done = await reset(w.cluster.kubeconfig, ...one)
    assert.equal(done.exit, 0, done.err)
    assert.match(done.out, /^reset: the breaker of the agent \S+\/agent of the class/)
    await w.until(
      async () => (await seenBy(tenant.agent)).every(({ state }) => state === 'closed'),
      'the breaker is closed',
    )
    assert.equal((await w.kubectl(condition('True'))).code, 0)
    const view = await tenant.agent.scale(9, target(tenant))
    assert.equal(phaseOf(view), 'refused/denied', 'judged again, not stopped')
  })

  it('a flood fills no log: what has no leaf of its own is counted in one, exactly (T13)', async () => {
    const bodies = await Promise.all(
      Array.from({ length: 35 }, () => quiet.agent.submission(9, target(quiet))),
    )
    const answers = await Promise.all(bodies.map((body) => quiet.agent.submit(body)))
    const ids = answers.map(({ body }) => intentView.parse(body).summary.id)
    const views = await Promise.all(ids.map((id) => ended(quiet.agent, id)))
    for (const view of views) {
      assert.match(phaseOf(view), /^refused\//)
      assert.equal(view.events.filter(({ type }) => type === 'ended').length, 1)
    }
    const again = await quiet.agent.submit(bodies[34] ?? '')
    assert.deepEqual(intentView.parse(again.body), views[34], 'the first answer again')
    const without = views.filter((v) => v.events.every((e) => e.leafIndexes.length === 0))
    assert.ok(without.length > 0, 'nothing was aggregated')
    await w.until(async () => (await aggregated()) >= without.length, 'one leaf counts them')
  })

  async function ended(agent: TestAgent, id: string) {
    let view = await agent.follow(id, 0)
    await w.until(async () => {
      view = await agent.follow(id, 0)
      return phaseOf(view).includes('/')
    }, 'the intent ended')
    return view
  }

  async function aggregated(): Promise<number> {
    const text = await (await fetch(`${w.plane.mediatorUrl}/metrics`)).text()
    return Number(/^jackstay_refusals_aggregated_total\S* (\d+)/m.exec(text)?.[1] ?? 0)
  }
})
