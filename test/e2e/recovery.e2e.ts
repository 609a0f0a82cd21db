import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'

describe('with the mediator dead', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
  })
  after(async () => await w?.close())

  /** Kills the mediator as soon as people could see what to approve. */
  async function killOnceShown(id: string): Promise<void> {
    const args = ['-n', tenant.targets, 'get', 'intent', id, '-o', 'jsonpath={.status.digest}']
    await w.until(async () => (await w.kubectl(args)).stdout !== '', 'the Intent object shows')
    await w.plane.mediator.kill()
  }

  async function suspend(): Promise<() => Promise<unknown>> {
    const name = `stop-${tenant.class}`
    const manifest = {
      apiVersion: 'jackstay.dev/v1alpha1',
      kind: 'Suspension',
      metadata: { name },
      spec: { class: tenant.class, reason: 'the test stops it' },
    }
    const created = await w.kubectl(['create', '-f', '-'], { stdin: JSON.stringify(manifest) })
    assert.equal(created.code, 0, created.stderr)
    return () => w.kubectl(['delete', 'suspension', name])
  }

  /** The executor's own write, as a mediator gone mad would make it. */
  async function executorWrite(name: string, intent: string): Promise<string> {
    const executor = w.admin.as({
      username: `system:serviceaccount:jackstay-executors:${tenant.class}`,
      extra: {
        'jackstay.dev/intent': [intent],
        'jackstay.dev/agent': [`${tenant.namespace}/agent`],
        'jackstay.dev/action': ['workload.scale'],
      },
    })
    const ref = { apiVersion: 'apps/v1', resource: 'deployments', namespace: tenant.targets, name }
    const { uid = '', resourceVersion = '' } = (await w.admin.get(ref)).metadata
    const result = await executor.mergePatch(
      ref,
      { spec: { replicas: 0 } },
      {
        preconditions: { uid, resourceVersion },
        dryRun: true,
      },
    )
    return result.kind
  }

  it('a Suspension between approval and dispatch stops the write, and is seen after the restart (T73)', async () => {
    await w.deployment(tenant, 'web', 2)
    const waiting = await tenant.agent.scale(0, { namespace: tenant.targets, name: 'web' })
    const { id } = waiting.summary
    assert.equal(phaseOf(waiting), 'approve')
    await killOnceShown(id)
    await w.approve(id, tenant)
    assert.equal(await executorWrite('web', id), 'applied', 'the executor could write until now')
    const resume = await suspend()
    await w.until(
      async () => (await executorWrite('web', id)) === 'refused',
      'the API server refuses',
    )
    await w.plane.mediator.start()
    const ended = await tenant.agent.follow(id)
    assert.equal(phaseOf(ended), 'refused/suspended')
    assert.equal(await w.replicas(tenant, 'web'), 2)
    await resume()
    await w.until(async () => (await executorWrite('web', id)) === 'applied', 'resumed')
  })

  it('an approved intent goes on after the restart, with one effect (T46)', async () => {
    await w.deployment(tenant, 'later', 2)
    const waiting = await tenant.agent.scale(0, { namespace: tenant.targets, name: 'later' })
    await killOnceShown(waiting.summary.id)
    await w.approve(waiting.summary.id, tenant)
    await w.plane.mediator.start()
    assert.equal(phaseOf(await tenant.agent.follow(waiting.summary.id)), 'verified/succeeded')
    assert.equal(await w.replicas(tenant, 'later'), 0)
  })

  it('a policy edited meanwhile voids what waited for it (T19, T20)', async () => {
    await w.deployment(tenant, 'edited', 2)
    const waiting = await tenant.agent.scale(0, { namespace: tenant.targets, name: 'edited' })
    await killOnceShown(waiting.summary.id)
    await w.approve(waiting.summary.id, tenant)
    const patch = [{ op: 'replace', path: '/spec/rules/1/requireApproval/count', value: 2 }]
    const args = ['patch', 'apol', tenant.class, '--type=json', '-p', JSON.stringify(patch)]
    assert.equal((await w.kubectl(args)).code, 0)
    await w.plane.mediator.start()
    assert.match(
      phaseOf(await tenant.agent.follow(waiting.summary.id)),
      /^obsolete\/policy_changed/,
    )
    assert.equal(await w.replicas(tenant, 'edited'), 2)
  })
})
