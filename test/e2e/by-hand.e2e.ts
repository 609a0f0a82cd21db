import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { clusterInfo, type IntentView, triggerList } from '@jackstay/contract/api'
import { readEvent } from '@jackstay/contract/history'
import { fold } from '@jackstay/contract/record'
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
    const roles = ['view', 'approver', 'responder', 'trigger', 'window-keeper']
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

  it('a class that may only propose ends proposed, its diff is there to read, and nothing was written', async () => {
    const rules = [{ name: 'allow', allow: { when: 'true' } }]
    const proposing = await w.tenant({ autonomy: 'propose', rules })
    await w.deployment(proposing, 'web', 2)
    const ref = ['-n', proposing.targets, 'get', 'deployment', 'web', '-o']
    const spec = async () =>
      (await w.kubectl([...ref, 'jsonpath={.metadata.uid} {.metadata.generation} {.spec}'])).stdout
    const was = await spec()
    const target = { namespace: proposing.targets, name: 'web' }
    const view = await proposing.agent.scale(0, target)
    assert.equal(phaseOf(view), 'proposed/autonomy')
    const record = fold(view.summary.id, view.events.map(readEvent))
    assert.equal(record.rehearsed?.decision.effect, 'allow', 'what would have been decided')
    assert.equal(record.dispatched, undefined)
    const why = await type('why', view.summary.id)
    assert.match(why.out, /\/spec\/replicas: 2 → 0/)
    assert.match(why.out, /the class may only propose: nothing was done/)
    assert.equal(await spec(), was)

    const observing = await w.tenant({ autonomy: 'observe', rules })
    await w.deployment(observing, 'web', 2)
    const seen = await observing.agent.scale(0, { namespace: observing.targets, name: 'web' })
    assert.equal(phaseOf(seen), 'refused/outside_class')
    assert.equal(await w.replicas(observing, 'web'), 2)
  })

  it('one-operator mode asks one where two are asked, says so everywhere, and ends with its flag', async () => {
    const two = await w.tenant({
      rules: [
        { name: 'allow', allow: { when: 'true' } },
        { name: 'four-eyes', requireApproval: { when: 'true', count: 2, groups: [oncall] } },
      ],
    })
    const ask = async (name: string) => {
      await w.deployment(two, name, 1)
      const view = await two.agent.scale(0, { namespace: two.targets, name })
      assert.equal(phaseOf(view), 'approve')
      const { id } = view.summary
      const path = 'jsonpath={.status.needs}'
      const shown = ['-n', two.targets, 'get', 'intent', id, '-o', path]
      await w.until(async () => (await w.kubectl(shown)).stdout !== '', 'the Intent object shows')
      return { id, needs: (await w.kubectl(shown)).stdout }
    }
    const restart = async (...flags: string[]) => {
      await w.plane.mediator.kill()
      await w.plane.mediator.start(flags)
    }
    const before = await ask('before')
    assert.match(before.needs, /2 approval\(s\) by oncall/)
    await restart('--one-operator')

    const during = await ask('during')
    const waived = /one-operator mode: `\S+four-eyes` asks for 2 approvals, one counts/
    assert.match(during.needs, /1 approval\(s\) by oncall/)
    assert.match(during.needs, waived)
    const said = await type('approve', during.id, '--reason', 'seen', '--yes')
    assert.equal(said.exit, 0, said.err)
    assert.match(said.out, waived)
    const done = await two.agent.follow(during.id)
    assert.equal(phaseOf(done), 'verified/succeeded')
    assert.equal(approvers(done).length, 1)
    assert.match((await type('why', during.id)).out, waived)
    assert.match((await type('status')).out, /one-operator mode/)
    const metrics = await (await fetch(`${w.plane.mediatorUrl}/metrics`)).text()
    assert.match(metrics, /^jackstay_one_operator\S* 1$/m)
    const headers = { authorization: `Bearer ${await two.agent.token('intent')}` }
    const cluster = await (await fetch(`${w.plane.mediatorUrl}/v1/cluster`, { headers })).json()
    assert.equal(clusterInfo.parse(cluster).oneOperator, true)

    // whoever was asked before is not taken for two now
    await w.approve(before.id, two, { person: 'oncall-1' })
    await w.approve(before.id, two, { person: 'oncall-2' })
    const both = await two.agent.follow(before.id)
    assert.equal(phaseOf(both), 'verified/succeeded')
    assert.equal(approvers(both).length, 2)

    const pending = await ask('pending')
    await restart()
    const voided = await two.agent.follow(pending.id)
    assert.equal(phaseOf(voided), 'obsolete/policy_changed')
    assert.equal(await w.replicas(two, 'pending'), 1)
    const again = await two.agent.scale(0, { namespace: two.targets, name: 'pending' })
    await w.approve(again.summary.id, two, { person: 'oncall-1' })
    await w.approve(again.summary.id, two, { person: 'oncall-2' })
    const ended = await two.agent.follow(again.summary.id)
    assert.equal(approvers(ended).length, 2)
  })

  /** What the blocks of a guide print, typed one after the other as they stand. */
  async function followed(guide: string, env: Readonly<Record<string, string>>) {
    const desk = await shell(w.cluster.kubectl, (line) => type(...line))
    try {
      const page = new URL(`../../docs/guide/${guide}.md`, import.meta.url)
      const blocks = (await sectionsOf(page)).flatMap((section) => section.blocks)
      const said: string[] = []
      for (const block of blocks) {
        const known = { KUBECONFIG: kubeconfig, NAMESPACE: tenant.targets, USER: 'sasha', ...env }
        said.push(await desk.run(block, known))
      }
      return said
    } finally {
      await desk.close()
    }
  }

  it('every command of docs/guide/at-three-in-the-morning.md works as it stands', async () => {
    const env = {
      JACKSTAY_SERVER: w.plane.mediatorUrl,
      INTENT: await waiting('guide'),
      AGENT: `${tenant.namespace}/agent`,
    }
    const said = await followed('at-three-in-the-morning', env)
    assert.ok(said.length >= 6)
    const { stdout } = await w.kubectl(['get', 'suspensions', '-o', 'name'])
    assert.equal(stdout, '')
  })

  it('every command of docs/guide/windows.md works as it stands', async () => {
    const named = ['office-hours', 'nightly-backup', 'hotfix']
    try {
      const said = await followed('windows', {})
      assert.match(said.join(''), /freeze nightly-backup: 2027-03-28T01:00:00.000Z to/)
      assert.match(
        said.join(''),
        /freeze nightly-backup: 2027-10-31T00:30:00.000Z to 2027-10-31T02:30/,
      )
    } finally {
      await w.kubectl(['delete', 'changewindows', '--ignore-not-found', ...named])
    }
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

/** Who is on record as having approved. */
function approvers(view: IntentView): readonly string[] {
  const { approved } = fold(view.summary.id, view.events.map(readEvent))
  return approved?.approvals.map(({ approver }) => approver) ?? []
}
