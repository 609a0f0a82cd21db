import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { IntentView } from '@jackstay/contract/api'
import { readEvent } from '@jackstay/contract/history'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { fold } from '@jackstay/contract/record'
import { calmBreakers } from '@jackstay/lab/calm-breakers'
import { v7 as uuid7 } from 'uuid'
import { jackstay } from './cli-desk.ts'
import { apply, letKeepWindows, type Manifest } from './governed.ts'
import { ledgerVerdict } from './ledger-verdict.ts'
import {
  deploymentOf,
  type LineWorld,
  lineWorld,
  noLine,
  oncall,
  phaseOf,
  type Tenant,
} from './line-world.ts'
import type { TestAgent } from './test-agent.ts'

const crds = { apiVersion: 'apiextensions.k8s.io/v1', resource: 'customresourcedefinitions' }
const noApproval = [{ name: 'allow', allow: { when: 'true' } }]

describe('limits of a class, and windows, over a restart of the mediator', {
  skip: await noLine(),
}, () => {
  let w: LineWorld
  let directory: string
  const windows: string[] = []
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-limits-'))
    w = await lineWorld({ mediatorFlags: ['--breakers', await calmBreakers(directory)] })
  })
  after(async () => {
    // a window that stays would shut what other suites do
    await w?.kubectl(['delete', 'changewindows', '--ignore-not-found', ...windows, 'none'])
    await w?.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('fifty small scale-downs reach together what the budget says, a crash between them or not (T26)', async () => {
    const tenant = await w.tenant({
      rules: noApproval,
      limits: { budgets: [{ of: 'pods', most: 10, per: '1h' }] },
    })
    const names = Array.from({ length: 50 }, (_, i) => `split-${i}`)
    await apply(
      w,
      names.map((name) => {
        const one = deploymentOf(tenant.targets, name, 1)
        // paused: fifty Pods are not what this is about
        return { ...one, spec: { ...one.spec, paused: true } }
      }),
    )
    const { agent, targets: namespace } = tenant
    const sign = (some: readonly string[]) =>
      Promise.all(
        some.map(async (name) => {
          const id = uuid7()
          return { id, body: await agent.submission(0, { namespace, name }, { jti: id }) }
        }),
      )
    // three are done, others under way or not even heard
    const done = await sign(names.slice(0, 3))
    for (const { id, body } of done) {
      await agent.submit(body)
      assert.equal(phaseOf(await agent.follow(id)), 'verified/succeeded')
    }
    const under = await sign(names.slice(3, 25))
    const sent = under.map(({ body }) => agent.submit(body).catch(() => undefined))
    await Promise.race(sent)
    await w.plane.mediator.kill()
    await Promise.all(sent)
    await w.plane.mediator.start()
    // what was signed before must not have to be young by now: what nobody heard is signed anew
    const heard = new Set<string>()
    for (const { id, body } of under) {
      const { status } = await agent.submit(body)
      if (status < 300) heard.add(id)
      else assert.equal(status, 401, 'too old, and never heard of')
    }
    const lost = names.slice(3, 25).filter((_, i) => !heard.has(under[i]?.id ?? ''))
    const fresh = await sign([...lost, ...names.slice(25)])
    const again = await Promise.all(fresh.map(({ body }) => agent.submit(body)))
    for (const { status } of again) assert.ok(status === 200 || status === 202, `${status}`)
    const asked = [...done, ...under.filter(({ id }) => heard.has(id)), ...fresh]
    const phases: string[] = []
    for (const { id } of asked) phases.push(phaseOf(await agent.follow(id)))
    const count = (phase: string) => phases.filter((p) => p === phase).length
    // a machine so slow that something heard has aged meanwhile makes none of them more
    const refused = count('refused/budget_exhausted') + count('refused/not_fresh')
    assert.deepEqual([count('verified/succeeded'), refused], [10, 40], phases.join())
    const path = 'jsonpath={.items[*].spec.replicas}'
    const left = await w.kubectl(['-n', namespace, 'get', 'deployments', '-o', path])
    assert.equal(left.stdout.split(' ').filter((n) => n === '0').length, 10)
  })

  it('two agents that turn one field to and fro are stopped, a restart between them or not (T27)', async () => {
    const tenant = await w.tenant({
      actions: ['cronjob.suspend', 'cronjob.resume'],
      rules: noApproval,
      limits: { oscillation: { turns: 3, within: '1h' } },
    })
    const { namespace, targets } = tenant
    await apply(w, [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'other', namespace } },
      cronJob(targets),
    ])
    const other = await w.enrolled(tenant, 'other')
    const turn = async (agent: TestAgent, action: string) => {
      const target = { kind: 'CronJob', apiVersion: 'batch/v1', namespace: targets, name: 'report' }
      return await agent.ask(`cronjob.${action}`, {}, target)
    }
    assert.equal(phaseOf(await turn(tenant.agent, 'suspend')), 'verified/succeeded')
    assert.equal(phaseOf(await turn(other, 'resume')), 'verified/succeeded')
    await w.plane.mediator.kill()
    await w.plane.mediator.start()
    assert.equal(phaseOf(await turn(tenant.agent, 'suspend')), 'verified/succeeded')
    const stopped = await turn(other, 'resume')
    assert.equal(phaseOf(stopped), 'refused/oscillating')
    const said = endOf(stopped).message
    assert.match(said, /`\/spec\/suspend` of this object was turned 2 times within 1h/)
    assert.ok(said.includes(`${namespace}/agent, ${namespace}/other`), said)
    const args = ['-n', targets, 'get', 'cronjob', 'report', '-o', 'jsonpath={.spec.suspend}']
    assert.equal((await w.kubectl(args)).stdout, 'true', 'as it was left')
  })

  /** A window about the tenant's namespace alone. */
  async function shut(tenant: Tenant, spec: Manifest, kubeconfig?: string): Promise<string> {
    const name = `${String(spec.effect).toLowerCase()}-${tenant.class}`
    const scope = { actions: ['workload.scale'], namespaces: [tenant.targets] }
    const object = {
      ...{ apiVersion: groupVersion, kind: 'ChangeWindow', metadata: { name } },
      spec: { ...scope, ...spec },
    }
    windows.push(name)
    const options = kubeconfig === undefined ? {} : { kubeconfig }
    const stdin = JSON.stringify(object)
    const { code, stderr } = await w.kubectl(['apply', '-f', '-'], { stdin, ...options })
    assert.equal(code, 0, stderr)
    return name
  }

  async function untilInForce(name: string, status: 'True' | 'False'): Promise<void> {
    const waited = ['wait', `changewindow/${name}`, `--for=condition=InForce=${status}`]
    const { code, stderr } = await w.kubectl([...waited, '--timeout=60s'])
    assert.equal(code, 0, stderr)
  }

  it('what was approved in a window is not dispatched after it shut (T28)', async () => {
    const tenant = await w.tenant()
    await w.deployment(tenant, 'late', 2)
    const opened = second(-3600)
    const window = await shut(tenant, {
      effect: 'allow',
      once: { from: opened, until: second(3600) },
    })
    await untilInForce(window, 'True')
    const target = { namespace: tenant.targets, name: 'late' }
    const waiting = await tenant.agent.scale(0, target)
    assert.equal(phaseOf(waiting), 'approve', JSON.stringify(waiting.summary))
    const { id } = waiting.summary
    const shown = ['-n', tenant.targets, 'get', 'intent', id, '-o', 'jsonpath={.status.digest}']
    await w.until(async () => (await w.kubectl(shown)).stdout !== '', 'the Intent object shows')
    // nobody dispatches while the last seconds of the window go by
    await w.plane.mediator.kill()
    const approval = await w.approve(id, tenant)
    const path = 'jsonpath={.metadata.creationTimestamp}'
    const read = ['-n', tenant.targets, 'get', 'approval', approval, '-o', path]
    const approvedAt = Date.parse((await w.kubectl(read)).stdout)
    const until = second(2)
    assert.ok(approvedAt < Date.parse(until), 'approved in time')
    await shut(tenant, { effect: 'allow', once: { from: opened, until } })
    await w.until(async () => Date.now() >= Date.parse(until), 'the window is over')
    await w.plane.mediator.start()
    const late = await tenant.agent.follow(id)
    assert.equal(phaseOf(late), 'refused/window_closed')
    assert.match(endOf(late).message, new RegExp(`outside of every window.*\`${window}\``))
    assert.ok(late.events.some(({ type }) => type === 'approved'))
    assert.equal(await w.replicas(tenant, 'late'), 2)
    assert.equal(phaseOf(await tenant.agent.scale(0, target)), 'refused/window_closed')
  })

  it('a freeze shuts until a person breaks the glass and another one agrees', async (t) => {
    const tenant = await w.tenant({ rules: noApproval })
    await w.deployment(tenant, 'frozen', 1)
    const target = { namespace: tenant.targets, name: 'frozen' }
    const once = { from: second(-60), until: second(3600) }
    const freeze = await shut(tenant, { effect: 'freeze', reason: 'the sale', once })
    await untilInForce(freeze, 'True')
    const refused = await tenant.agent.scale(0, target)
    assert.equal(phaseOf(refused), 'refused/window_closed')
    assert.match(endOf(refused).message, /^frozen by the window .*\(the sale\), until 20/)

    const maker = await w.person('oncall-1', [oncall])
    t.after(await letKeepWindows(w, 'oncall-1'))
    const grant = { count: 1, groups: [oncall] }
    const spec = { effect: 'breakGlass', madeBy: 'oncall-1', reason: 'the shop is down', grant }
    const glass = await shut(tenant, { ...spec, once }, maker.kubeconfig)
    const approve = async (person: string) => {
      const { kubeconfig } = await w.person(person, [oncall])
      const line = ['approve', `changewindow/${glass}`, '--reason', 'seen', '--yes']
      return await jackstay(line, { kubeconfig })
    }
    await untilInForce(glass, 'False')
    // whoever made it may say yes, and it counts for nothing
    await approve('oncall-1')
    assert.equal(phaseOf(await tenant.agent.scale(0, target)), 'refused/window_closed')
    const said = await approve('oncall-2')
    assert.equal(said.exit, 0, said.err)
    await untilInForce(glass, 'True')
    assert.equal(phaseOf(await tenant.agent.scale(0, target)), 'verified/succeeded')
    assert.equal(await w.replicas(tenant, 'frozen'), 0)
  })

  it('a class says what of it cannot be, and one that turned invalid grants nothing', async () => {
    const tenant = await w.tenant({ rules: noApproval })
    await w.deployment(tenant, 'kept', 1)
    const target = { namespace: tenant.targets, name: 'kept' }
    const says = async (kind: string, name: string, type: string) => {
      const path = `jsonpath={.status.conditions[?(@.type=="${type}")].message}`
      return (await w.kubectl(['get', kind, name, '-o', path])).stdout
    }
    const untilSays = (kind: string, name: string, type: string, what: RegExp) =>
      w.until(async () => what.test(await says(kind, name, type)), `${kind} says ${what}`)
    const patch = async (kind: string, name: string, body: object) => {
      const args = ['patch', kind, name, '--type=merge', '-p', JSON.stringify(body)]
      const { code, stderr } = await w.kubectl(args)
      assert.equal(code, 0, stderr)
    }
    await untilSays('agc', tenant.class, 'Valid', /^its spec can be followed$/)
    const twin = {
      apiVersion: groupVersion,
      kind: 'AgentClass',
      metadata: { name: `${tenant.class}-twin` },
    }
    const ref = { apiVersion: groupVersion, resource: 'agentclasses', name: tenant.class }
    const { spec } = await w.admin.get(ref)
    const actions = [{ name: 'workload.fly', targets: { namespaces: ['*'], names: ['*'] } }]
    await apply(w, [{ ...twin, spec: { ...Object(spec), actions } }])
    try {
      await untilSays('agc', twin.metadata.name, 'Valid', /no action `workload.fly`/)
      const claims = new RegExp(`claims the namespace .${tenant.namespace}. too`)
      await untilSays('agc', twin.metadata.name, 'Valid', claims)
      await untilSays('agc', tenant.class, 'Valid', claims)
      const answer = await (await w.newAgent(tenant)).enrol()
      assert.equal(answer.status, 403, JSON.stringify(answer.body))
    } finally {
      await w.kubectl(['delete', 'agc', twin.metadata.name])
    }
    await untilSays('agc', tenant.class, 'Valid', /^its spec can be followed$/)
    await patch('apol', tenant.class, { spec: { actions: ['workload.scale', 'workload.fly'] } })
    await untilSays('apol', tenant.class, 'Ready', /no action `workload.fly`/)

    // as a class stands there that another version of the kind took
    const crd = 'agentclasses.jackstay.dev'
    const stored = await w.admin.get({ ...crds, name: crd })
    const autonomy = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/autonomy'
    const loose = [{ op: 'add', path: `${autonomy}/enum/-`, value: 'act-freely' }]
    const loosened = await w.kubectl([
      'patch',
      'crd',
      crd,
      '--type=json',
      '-p',
      JSON.stringify(loose),
    ])
    assert.equal(loosened.code, 0, loosened.stderr)
    try {
      await w.until(async () => {
        const body = JSON.stringify({ spec: { autonomy: 'act-freely' } })
        const args = ['patch', 'agc', tenant.class, '--type=merge', '-p', body]
        return (await w.kubectl(args)).code === 0
      }, 'the kind takes it')
    } finally {
      const { spec: was } = stored
      const again = JSON.stringify({ spec: was })
      const restored = await w.kubectl(['patch', 'crd', crd, '--type=merge', '-p', again])
      assert.equal(restored.code, 0, restored.stderr)
    }
    await untilSays('agc', tenant.class, 'Valid', /`spec.autonomy`: /)
    assert.match(await says('agc', tenant.class, 'Granted'), /cannot be read, so it grants nothing/)
    assert.equal(phaseOf(await tenant.agent.scale(0, target)), 'refused/outside_class')
    assert.equal(await w.replicas(tenant, 'kept'), 1)
    assert.equal((await w.kubectl(['delete', 'agc', tenant.class])).code, 0)
  })

  it('leaves a log that verifies', async () => {
    const result = await ledgerVerdict(w)
    assert.ok(result.ok, JSON.stringify(result))
  })
})

/** So many seconds from now, as windows want it: to the second. */
function second(fromNow: number): string {
  return new Date(Date.now() + fromNow * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
}

function endOf(view: IntentView): { readonly message: string } {
  const { ended } = fold(view.summary.id, view.events.map(readEvent))
  assert.ok(ended)
  return ended
}

function cronJob(namespace: string): Manifest {
  const containers = [{ name: 'none', image: 'jackstay.local/none:1' }]
  const template = { spec: { containers, restartPolicy: 'Never' } }
  return {
    ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'report', namespace } },
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } },
  }
}
