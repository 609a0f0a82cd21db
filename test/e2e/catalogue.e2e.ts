import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'

const actions = ['workload.restart']
const allow = [{ name: 'allow', allow: { when: 'true' } }]

describe('the catalogue through the whole line', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  /** A class whose people have to agree. */
  let asking: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant({ actions, rules: allow, verifySeconds: 5 })
    asking = await w.tenant({ actions })
  })
  after(async () => await w?.close())

  const read = async (of: Tenant, kind: string, name: string, path: string) => {
    const args = ['-n', of.targets, 'get', kind, name, '-o', 'json']
    return at(JSON.parse((await w.kubectl(args)).stdout) as Json, path)
  }
  const deployment = (of: Tenant, name: string) => ({
    ...{ kind: 'Deployment', namespace: of.targets, name },
  })

  describe('workload.restart', () => {
    const stamp = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt'

    it('annotates the template and waits for the rollout', async () => {
      await w.deployment(tenant, 'restarted', 0)
      const view = await tenant.agent.ask('workload.restart', {}, deployment(tenant, 'restarted'))
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view.summary))
      assert.match(String(await read(tenant, 'deployment', 'restarted', stamp)), /^20\d\d-.*Z$/)
    })

    it('is taken back where the new Pods never come', async () => {
      await w.deployment(tenant, 'stuck', 1)
      const view = await tenant.agent.ask('workload.restart', {}, deployment(tenant, 'stuck'))
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view.summary))
      assert.equal(await read(tenant, 'deployment', 'stuck', stamp), undefined)
    })

    it('plans the same twice, so that an approval holds', async () => {
      await w.deployment(asking, 'approved', 0)
      const target = deployment(asking, 'approved')
      const waiting = await asking.agent.ask('workload.restart', {}, target)
      assert.equal(phaseOf(waiting), 'approve', JSON.stringify(waiting.summary))
      await w.approve(waiting.summary.id, asking)
      assert.equal(phaseOf(await asking.agent.follow(waiting.summary.id)), 'verified/succeeded')
    })
  })
})
