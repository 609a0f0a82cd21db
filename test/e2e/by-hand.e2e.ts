import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { triggerList } from '@jackstay/contract/api'
import { attempt, refusedBy } from './attempt.ts'
import { jackstay } from './cli-desk.ts'
import { sectionsOf, shell } from './command-pages.ts'
import { apply, suffix } from './governed.ts'
import { type LineWorld, lineWorld, noLine, oncall, phaseOf, type Tenant } from './line-world.ts'

const rbac = 'rbac.authorization.k8s.io'

describe('the line by hand', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  let kubeconfig: string
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
    const roles = ['view', 'approver', 'responder', 'trigger']
    const group = `people-${suffix()}`
    await apply(
      w,
      roles.map((role) => ({
        ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding' },
        metadata: { name: `${group}-${role}` },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: `jackstay-${role}` },
        subjects: [{ apiGroup: rbac, kind: 'Group', name: group }],
      })),
    )
    kubeconfig = (await w.person('sasha@example.com', [group, oncall])).kubeconfig
  })
  after(async () => {
    if (w === undefined) return
    await w.kubectl(['delete', 'suspensions', '--all'])
    await w.close()
  })

  const type = (...line: string[]) => jackstay(line, { kubeconfig, server: w.plane.mediatorUrl })
  const typed = async (...line: string[]) => {
    const said = await type(...line, '-o', 'json')
    assert.equal(said.exit, 0, said.err)
    return JSON.parse(said.out)
  }
  const waiting = async (name: string) => {
    await w.deployment(tenant, name, 2)
    const view = await tenant.agent.scale(0, { namespace: tenant.targets, name })
    assert.equal(phaseOf(view), 'approve')
    return view.summary.id
  }

  it('inbox shows what waits, and the command it prints approves exactly that', async () => {
    const id = await waiting('inbox')
    const { out, exit } = await type('inbox', '--limit', '200')
    assert.equal(exit, 0)
    assert.match(out, /Deployment \S+\/inbox \/spec\/replicas: 2 → 0/)
    const [, digest = ''] = new RegExp(`jackstay approve ${id} --digest (\\S+)`).exec(out) ?? []
    const approve = ['approve', id, '--digest', digest, '--reason', 'seen', '--yes']
    assert.equal((await type(...approve)).exit, 0)
    assert.equal(phaseOf(await tenant.agent.follow(id)), 'verified/succeeded')
    const { waiting: left } = await typed('inbox', '--limit', '200')
    assert.ok(!JSON.stringify(left).includes(id))
  })

  it('status says what stands, by its exit code too', async () => {
    const id = await waiting('status')
    // what other suites left may be worth a look: only this one's part is asserted
    const seen = JSON.parse((await type('status', '-o', 'json')).out)
    assert.ok(seen.waiting.value.count >= 1)
    assert.ok(seen.enforcement.every(({ state }: { state: string }) => state === 'bound'))
    await type('suspend', '--agent', 'jackstay-class-nobody/agent', '--reason', 'a test')
    const stopped = await type('status')
    assert.equal(stopped.exit, 6)
    assert.match(stopped.out, /stopped the agent jackstay-class-nobody\/agent/)
    assert.match(stopped.out, /by sasha@example.com: a test/)
    await type('resume', '--agent', 'jackstay-class-nobody/agent', '--yes')
    // with the mediator away, the API server tells what it knows
    const away = await jackstay(['status'], { kubeconfig })
    assert.equal(away.exit, 3)
    assert.match(away.out, /the API server alone, with your own rights/)
    assert.match(away.out, /Approvals +\d+ waits?/)
    assert.match(away.out, /Suspensions +\S/)
    await type('cancel', id)
  })

  it('cancel ends an intent as the person, and says so where it had ended', async () => {
    const id = await waiting('cancelled')
    const { out, exit, err } = await type('cancel', id)
    assert.equal(exit, 0, err)
    assert.match(out, /cancelled/)
    assert.equal(phaseOf(await tenant.agent.follow(id)), 'cancelled/deleted_by_owner')
    assert.equal(await w.replicas(tenant, 'cancelled'), 2)
  })

  it('agents list shows who is live, suspended and revoked', async () => {
    const mine = async () => {
      const { agents } = await typed('agents', 'list')
      return agents.find((one: { class: string }) => one.class === tenant.class)
    }
    const found = await mine()
    assert.deepEqual([found.live, found.revoked, found.suspended], [true, false, false])
    assert.ok(Date.parse(found.seenAt) > 0)
    await type('suspend', '--class', tenant.class)
    assert.equal((await mine()).suspended, true)
    await type('resume', '--class', tenant.class, '--yes')
    const away = await jackstay(['agents', 'list'], { kubeconfig })
    assert.equal(away.exit, 0)
    assert.match(away.out, new RegExp(`${tenant.class} +enrolled`))
  })

  it('watch shows a change as it happens', async () => {
    const ended = new AbortController()
    const options = { kubeconfig, server: w.plane.mediatorUrl, signal: ended.signal }
    const watching = jackstay(
      ['watch', '-n', tenant.targets, '-o', 'json', '--count', '1'],
      options,
    )
    // the first question sets where it begins; an intent before that is not seen
    let stop = false
    const asking = (async () => {
      for (let i = 0; !stop && i < 20; i++) await waiting(`watched-${i}`)
    })()
    const { out, exit } = await watching
    stop = true
    await asking
    assert.equal(exit, 0)
    assert.match(JSON.parse(out).target, new RegExp(`${tenant.targets}/watched-`))
  })

  it('every command of docs/guide/at-three-in-the-morning.md works as it stands', async (t) => {
    const desk = await shell(w.cluster.kubectl, (line) => type(...line))
    t.after(() => desk.close())
    const page = new URL('../../docs/guide/at-three-in-the-morning.md', import.meta.url)
    const blocks = (await sectionsOf(page)).flatMap((section) => section.blocks)
    assert.ok(blocks.length >= 6)
    const env = {
      ...{ KUBECONFIG: kubeconfig, JACKSTAY_SERVER: w.plane.mediatorUrl, USER: 'sasha' },
      ...{ INTENT: await waiting('guide'), NAMESPACE: tenant.targets },
      AGENT: `${tenant.namespace}/agent`,
    }
    for (const block of blocks) await desk.run(block, env)
    const { stdout } = await w.kubectl(['get', 'suspensions', '-o', 'name'])
    assert.equal(stdout, '')
  })

  it('trigger create reaches the class, names its maker, and nobody makes one in another name (T77)', async () => {
    const made = await typed('trigger', 'create', '--label', `tenant=${tenant.class}`)
    assert.equal(made.createdBy, 'sasha@example.com')
    const headers = { authorization: `Bearer ${await tenant.agent.token('intent')}` }
    const url = `${w.plane.mediatorUrl}/v1/triggers?wait=5`
    const { triggers } = triggerList.parse(await (await fetch(url, { headers })).json())
    assert.deepEqual(
      triggers.map(({ id, source }) => [id, source]),
      [[made.id, 'manual']],
    )
    assert.equal((await typed('trigger', 'resolve', made.id)).status, 'resolved')
    const path = '/api/v1/namespaces/jackstay-system/serviceaccounts/jackstay-trigger-maker/token'
    const { client } = await w.person('sasha@example.com', [])
    const { client: admin } = await w.person('admin@example.com', ['system:masters'])
    for (const audiences of [['jackstay-trigger:sasha@example.com'], [], ['jackstay-read']]) {
      const answer = await attempt(admin, 'POST', path, { spec: { audiences } })
      refusedBy('jackstay-trigger-maker-signed', answer)
    }
    const spec = { audiences: ['jackstay-trigger:sasha@example.com'] }
    assert.equal((await attempt(client, 'POST', path, { spec })).status, 403, 'without the role')
    const post = (token: string) =>
      fetch(`${w.plane.mediatorUrl}/v1/triggers`, {
        method: 'POST',
        body: JSON.stringify({ labels: { a: 'b' }, annotations: {} }),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })
    const forged = `e30.${Buffer.from('{"aud":["jackstay-trigger:root"]}').toString('base64url')}.x`
    for (const token of [forged, await tenant.agent.token('intent')]) {
      const answer = await post(token)
      assert.equal(answer.status, 401)
      await answer.body?.cancel()
    }
  })
})
