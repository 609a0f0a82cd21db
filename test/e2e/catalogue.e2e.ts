import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { catalogue } from '@jackstay/actions/catalogue'
import { at } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { until } from './attempt.ts'
import { apply } from './governed.ts'
import {
  deploymentOf,
  type LineWorld,
  lineWorld,
  noLine,
  phaseOf,
  type Tenant,
} from './line-world.ts'
import { quietTarget } from './targets.ts'

const actions = catalogue.map(({ name }) => name)
const allow = [{ name: 'allow', allow: { when: 'true' } }]

describe('the catalogue through the whole line', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  /** A class that gives its changes little time. */
  let hasty: Tenant
  /** A class whose people have to agree. */
  let asking: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant({ actions, rules: allow, verifySeconds: 120 })
    hasty = await w.tenant({ actions, rules: allow, verifySeconds: 2 })
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
      await w.deployment(hasty, 'stuck', 1)
      const view = await hasty.agent.ask('workload.restart', {}, deployment(hasty, 'stuck'))
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view.summary))
      assert.equal(await read(hasty, 'deployment', 'stuck', stamp), undefined)
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

  const image = '/spec/template/spec/containers/0/image'

  describe('workload.setImage', () => {
    it('changes one image, and shows that field alone', async () => {
      await w.deployment(asking, 'imaged', 0)
      const params = { container: 'none', image: 'jackstay.local/none:2' }
      const target = deployment(asking, 'imaged')
      const waiting = await asking.agent.ask('workload.setImage', params, target)
      const { id } = waiting.summary
      assert.equal(phaseOf(waiting), 'approve', JSON.stringify(waiting.summary))
      const shown = await read(asking, 'intent', id, '/status')
      assert.deepEqual(at(shown ?? null, '/diff'), [
        `Deployment ${asking.targets}/imaged ${image}: "jackstay.local/none:1" → "jackstay.local/none:2"`,
      ])
      assert.match(JSON.stringify(at(shown ?? null, '/notes')), /none:1 runs in no Pod now/)
      assert.match(JSON.stringify(at(shown ?? null, '/notes')), /cannot be restored: /)
      await w.approve(id, asking)
      assert.equal(phaseOf(await asking.agent.follow(id)), 'verified/succeeded')
      assert.equal(await read(asking, 'deployment', 'imaged', image), 'jackstay.local/none:2')
    })

    it('takes a bad image back', async () => {
      await w.deployment(hasty, 'bad', 1)
      const params = { container: 'none', image: 'jackstay.local/missing:1' }
      const view = await hasty.agent.ask('workload.setImage', params, deployment(hasty, 'bad'))
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view.summary))
      assert.equal(await read(hasty, 'deployment', 'bad', image), 'jackstay.local/none:1')
    })
  })

  it('workload.rollback brings the previous template back, and refuses what reaches the host (T37)', async () => {
    await w.deployment(tenant, 'rolled', 0)
    const target = deployment(tenant, 'rolled')
    const revision = '/metadata/annotations/deployment.kubernetes.io~1revision'
    const isAt = (number: string) =>
      w.until(
        async () => (await read(tenant, 'deployment', 'rolled', revision)) === number,
        `revision ${number}`,
      )
    const change = async (pod: object, number: string) => {
      const spec = JSON.stringify({ spec: { template: { spec: pod } } })
      const args = ['patch', 'deployment', 'rolled', '--type=strategic', '-p', spec]
      assert.equal((await w.kubectl(['-n', tenant.targets, ...args])).code, 0)
      await isAt(number)
    }
    await isAt('1')
    await change({ containers: [{ name: 'none', image: 'none:2', args: ['--new'] }] }, '2')
    const view = await tenant.agent.ask('workload.rollback', {}, target)
    assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view.summary))
    assert.equal(await read(tenant, 'deployment', 'rolled', image), 'jackstay.local/none:1')
    const args = '/spec/template/spec/containers/0/args'
    assert.equal(await read(tenant, 'deployment', 'rolled', args), undefined)
    await isAt('3')
    await change({ hostNetwork: true }, '4')
    const refused = await tenant.agent.ask('workload.rollback', { revision: 3 }, target)
    assert.equal(phaseOf(refused), 'refused/unsuitable_target')
    assert.match(JSON.stringify(refused.events), /differs in spec.hostNetwork/)
  })

  it('workload.setResources sets what is named', async () => {
    await w.deployment(tenant, 'sized', 0)
    const limits = { container: 'none', limits: { memory: '64Mi' } }
    const target = deployment(tenant, 'sized')
    const first = await tenant.agent.ask('workload.setResources', limits, target)
    assert.equal(phaseOf(first), 'verified/succeeded', JSON.stringify(first.summary))
    const both = { container: 'none', limits: { cpu: '1' }, requests: { memory: '32Mi' } }
    const second = await tenant.agent.ask('workload.setResources', both, target)
    assert.equal(phaseOf(second), 'verified/succeeded', JSON.stringify(second.summary))
    const at = '/spec/template/spec/containers/0/resources'
    assert.deepEqual(await read(tenant, 'deployment', 'sized', at), {
      limits: { cpu: '1', memory: '64Mi' },
      requests: { memory: '32Mi' },
    })
  })

  it('workload.pause and resume', async () => {
    await w.deployment(tenant, 'paused', 0)
    const target = deployment(tenant, 'paused')
    for (const [action, paused] of [
      ['workload.pause', true],
      ['workload.resume', undefined],
    ] as const) {
      const view = await tenant.agent.ask(action, {}, target)
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view.summary))
      assert.equal(await read(tenant, 'deployment', 'paused', '/spec/paused'), paused)
    }
  })

  describe('what stands around the Pods of a plan', () => {
    /** Controllers of a busy machine take their time. */
    const patient = (what: string, holds: () => Promise<boolean>) => until(what, holds, 120_000)
    const when = 'plan.blastRadius.budgets.exists(b, b.headroom < 0)'
    let careful: Tenant
    before(async () => {
      const people = { when: 'true', count: 1, groups: ['oncall'] }
      const asked = { name: 'people', requireApproval: people }
      const rules = [...allow, asked, { name: 'beyond', deny: { when } }]
      careful = await w.tenant({ actions: ['workload.restart'], rules })
      // Pods of the same moment as their quota are missed until it is counted anew, minutes later
      await apply(w, [quota(careful.targets)])
      const used = async () => await read(careful, 'quota', 'figured', '/status/used/pods')
      await patient('a counted quota', async () => (await used()) === '0')
      await apply(w, around(careful.targets))
      await apply(w, [budget(careful.targets, 1)])
      await ready(careful.targets, 3)
      await counted(careful.targets, 2)
    })

    /** A Deployment of three that lets two go at once, with all that may stand around one. */
    const around = (namespace: string) => {
      const base = deploymentOf(namespace, 'figured', 3)
      const rollingUpdate = { maxUnavailable: 2, maxSurge: 1 }
      const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'figured' }
      const metadata = { name: 'figured', namespace }
      return [
        { ...base, spec: { ...unplaced(base.spec), strategy: { rollingUpdate } } },
        {
          ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata },
          spec: { scaleTargetRef: target, minReplicas: 3, maxReplicas: 4 },
        },
      ]
    }
    /** A kubelet would say something else of its Pods than this test. */
    const unplaced = (spec: unknown) => {
      const { template, ...others } = Object(spec)
      const gates = [{ name: 'jackstay.dev/test' }]
      return {
        ...others,
        template: { ...template, spec: { ...template.spec, schedulingGates: gates } },
      }
    }
    const quota = (namespace: string) => ({
      ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'figured', namespace } },
      spec: { hard: { pods: '8' } },
    })
    const budget = (namespace: string, minAvailable: number) => ({
      ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
      metadata: { name: 'figured', namespace },
      spec: { minAvailable, selector: { matchLabels: { app: 'figured' } } },
    })

    /** What a kubelet would say of the Pods, and the controllers' word that they heard it. */
    async function ready(namespace: string, count: number): Promise<void> {
      const names = async () => {
        const args = ['get', 'pods', '-l', 'app=figured', '-o', 'name']
        return (await w.kubectl(['-n', namespace, ...args])).stdout.split(/\s+/).filter(Boolean)
      }
      await patient('its Pods', async () => (await names()).length === count)
      const conditions = [{ type: 'Ready', status: 'True' }]
      const status = JSON.stringify({ status: { phase: 'Running', conditions } })
      for (const name of await names()) {
        const patch = ['patch', name, '--subresource=status', '--type=strategic', '-p', status]
        assert.equal((await w.kubectl(['-n', namespace, ...patch])).code, 0)
      }
      const seen = async (kind: string, path: string) => await read(careful, kind, 'figured', path)
      const isReady = async () => (await seen('deployment', '/status/readyReplicas')) === count
      await patient('ready Pods', isReady)
      assert.equal(await seen('quota', '/status/used/pods'), String(count))
    }

    async function counted(namespace: string, allowed: number): Promise<void> {
      const args = ['-n', namespace, 'get', 'pdb', 'figured', '-o', 'json']
      await patient('a counted budget', async () => {
        const object = JSON.parse((await w.kubectl(args)).stdout) as Json
        const seen = at(object, '/status/observedGeneration') === at(object, '/metadata/generation')
        return seen && at(object, '/status/disruptionsAllowed') === allowed
      })
    }

    it('is in the plan, shown to people, and judged anew at dispatch (T19)', async () => {
      const place = { namespace: careful.targets, name: 'figured' }
      const target = { kind: 'Deployment', ...place }
      const waiting = await careful.agent.ask('workload.restart', {}, target)
      assert.equal(phaseOf(waiting), 'approve', JSON.stringify(waiting))
      const rehearsed = waiting.events.find(({ type }) => type === 'rehearsed')
      assert.deepEqual(at((rehearsed ?? {}) as Json, '/data/plan/blastRadius'), {
        ...{ objects: 1, pods: 3, readyReplicasLost: 2, namespaces: [careful.targets] },
        workloads: [{ kind: 'Deployment', ...place, ready: 3, lost: 2, sharePercent: 67 }],
        sharePercent: 67,
        budgets: [{ ...place, lost: 2, allowed: 2, headroom: 0 }],
        autoscalers: [{ ...place, min: 3, max: 4, replicas: 3, headroom: 1, fights: false }],
        quotas: [{ ...place, resource: 'pods', leftPercent: 50 }],
        ...{ criticality: 'medium', priority: 0 },
      })
      const { id } = waiting.summary
      const notes = JSON.stringify(await read(careful, 'intent', id, '/status/notes'))
      assert.match(notes, /risk \d+ of 100: .*takes 2 of 3 ready Pods .*allows 2 disruptions now/)

      await apply(w, [budget(careful.targets, 2)])
      await counted(careful.targets, 1)
      await patient('the mediator has seen the budget', async () => {
        const other = await careful.agent.ask('workload.restart', {}, target)
        return phaseOf(other) === 'refused/denied'
      })
      await w.approve(id, careful)
      const ended = await careful.agent.follow(id)
      assert.equal(phaseOf(ended), 'refused/denied', JSON.stringify(ended.summary))
      assert.match(JSON.stringify(ended.events.at(-1)), /at dispatch: denied by \S+\/beyond/)
    })
  })

  it('hpa.setBounds', async () => {
    await apply(w, [quietTarget('horizontalpodautoscalers', tenant.targets)])
    const target = {
      ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
      ...{ namespace: tenant.targets, name: 'api' },
    }
    const view = await tenant.agent.ask('hpa.setBounds', { maxReplicas: 7 }, target)
    assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view.summary))
    assert.equal(await read(tenant, 'hpa', 'api', '/spec/maxReplicas'), 7)
  })

  it('cronjob.suspend and resume', async () => {
    await apply(w, [quietTarget('cronjobs', tenant.targets)])
    const target = {
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', namespace: tenant.targets, name: 'api' },
    }
    for (const [action, suspend] of [
      ['cronjob.resume', false],
      ['cronjob.suspend', true],
    ] as const) {
      const view = await tenant.agent.ask(action, {}, target)
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view.summary))
      assert.equal(await read(tenant, 'cronjob', 'api', '/spec/suspend'), suspend)
    }
  })
})
