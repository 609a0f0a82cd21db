import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { IntentView } from '@jackstay/contract/api'
import { at } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { governedLabel, suspendedLabel } from '@jackstay/contract/kinds/suspension'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { until } from './attempt.ts'
import { apply, type Manifest } from './governed.ts'
import { type LineWorld, lineWorld, phaseOf, type Tenant } from './line-world.ts'
import { realDeployment, realPod } from './real-pods.ts'
import { noNode } from './world.ts'

const actions = [
  'node.drain',
  'node.uncordon',
  'pod.evict',
  'workload.restart',
  'workload.setImage',
]
const rules = [{ name: 'allow', allow: { when: 'true' } }]
const patienceMs = 120_000

/** On a node of its own: a drain takes everything that runs on it. */
describe('Pods and a node through the whole line', { skip: await noNode({ own: true }) }, () => {
  let w: LineWorld
  let tenant: Tenant
  let node: string
  before(async () => {
    w = await lineWorld({ mode: 'node', own: true })
    node = w.cluster.nodeName ?? ''
    tenant = await w.tenant({ actions, rules, verifySeconds: 300 })
    await kubectl(['label', 'node', node, `${governedLabel}=true`])
    const deployments = ['a-free', 'held', 'rolled', 'spoilt'].map((name) => {
      const spec = name === 'spoilt' ? { progressDeadlineSeconds: 5 } : {}
      const replicas = name === 'rolled' ? 2 : 1
      return realDeployment({ namespace: tenant.targets, name, replicas, spec })
    })
    await apply(w, [...deployments, budget(1)])
    await Promise.all(['a-free', 'held', 'rolled', 'spoilt'].map(serves))
  })
  after(async () => {
    await w?.close()
    await w?.cluster.down()
  })

  async function kubectl(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await w.kubectl(args)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const mine = (...args: string[]) => kubectl(['-n', tenant.targets, ...args])
  const budget = (minAvailable: number): Manifest => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'held', namespace: tenant.targets },
    spec: { minAvailable, selector: { matchLabels: { app: 'held' } } },
  })
  const serves = (name: string) =>
    mine('wait', '--for=condition=Available', `deployment/${name}`, '--timeout=120s')
  const podNames = async (app: string) =>
    (await mine('get', 'pods', '-l', `app=${app}`, '-o', 'jsonpath={.items[*].metadata.name}'))
      .split(' ')
      .filter((name) => name !== '')
      .toSorted()
  const of = (name: string) => ({ kind: 'Deployment', namespace: tenant.targets, name })
  const cordoned = async () => {
    const object = JSON.parse(await kubectl(['get', 'node', node, '-o', 'json'])) as Json
    return at(object, '/spec/unschedulable') === true
  }
  const outcomes = (view: IntentView) =>
    view.events.flatMap(({ type, data }) => {
      const { write, outcome } = data as { write?: string; outcome?: string }
      return type === 'written' ? [`${write} ${outcome}`] : []
    })
  const now = (id: string) => tenant.agent.follow(id, 0)

  async function ends(id: string): Promise<IntentView> {
    for (let waits = 0; ; waits++) {
      const view = await tenant.agent.follow(id)
      if (view.events.some(({ type }) => type === 'ended')) return view
      assert.ok(waits < 4, `still ${phaseOf(view)}: ${JSON.stringify(view)}`)
    }
  }

  describe('what Pods come and go by', { concurrency: true }, () => {
    it('waits with an eviction until the disruption budget lets the Pod go', async () => {
      const [name = ''] = await podNames('held')
      const target = { apiVersion: 'v1', kind: 'Pod', namespace: tenant.targets, name }
      const { id } = (await tenant.agent.ask('pod.evict', {}, target, 0)).summary
      await until('it is held back', async () => outcomes(await now(id)).includes('w1 later'))
      assert.deepEqual(await podNames('held'), [name])
      await apply(w, [budget(0)])
      const view = await ends(id)
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view))
      assert.equal(outcomes(view).at(-1), 'w1 applied')
      await apply(w, [budget(1)])
    })

    it('verifies a restart once every Pod is another one', async () => {
      const old = await podNames('rolled')
      const view = await tenant.agent.ask('workload.restart', {}, of('rolled'), 0)
      const ended = await ends(view.summary.id)
      assert.equal(phaseOf(ended), 'verified/succeeded', JSON.stringify(ended))
      const ready = '{.items[?(@.status.containerStatuses[0].ready)].metadata.name}'
      const names = await mine('get', 'pods', '-l', 'app=rolled', '-o', `jsonpath=${ready}`)
      const fresh = names.split(' ').filter((name) => !old.includes(name))
      assert.equal(fresh.length, 2, names)
    })

    it('takes an image back that cannot be pulled, while the old Pod serves on', async () => {
      const [old] = await podNames('spoilt')
      const params = { container: 'app', image: 'jackstay.local/none:2' }
      const asked = await tenant.agent.ask('workload.setImage', params, of('spoilt'), 0)
      const view = await ends(asked.summary.id)
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view))
      assert.match(JSON.stringify(view.events), /ProgressDeadlineExceeded/)
      const settled = async () => (await podNames('spoilt')).join() === old
      await until('only the old Pod is left', settled, patienceMs)
      await serves('spoilt')
    })
  })

  describe('node.drain', () => {
    const target = () => ({ apiVersion: 'v1', kind: 'Node', name: node })

    /** A drain that closed the node, evicted what may go and is held back by the budget. */
    async function heldDrain(): Promise<string> {
      await serves('held')
      await settledBudget()
      const { id } = (await tenant.agent.ask('node.drain', {}, target(), 0)).summary
      const isHeld = async () => {
        const view = await now(id)
        assert.ok(!view.events.some(({ type }) => type === 'ended'), JSON.stringify(view.events))
        return outcomes(view).some((one) => one.endsWith(' later'))
      }
      await until('the drain is held back', isHeld, patienceMs)
      assert.equal(await cordoned(), true)
      return id
    }

    /** The disruption controller has counted what is there now. */
    async function settledBudget(): Promise<void> {
      const args = ['get', 'pdb', 'held', '-o', 'json']
      const read = async () => JSON.parse(await mine(...args)) as Json
      await until(
        'the budget is counted',
        async () => {
          const object = await read()
          const seen = at(object, '/status/observedGeneration')
          const healthy = at(object, '/status/currentHealthy') === 1
          return healthy && seen === at(object, '/metadata/generation')
        },
        patienceMs,
      )
    }

    it('is done when no Pod of its plan is left; what replaces them waits', async () => {
      const id = await heldDrain()
      await apply(w, [budget(0)])
      const view = await ends(id)
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view))
      // what has ended does not have to go, and its object may stay a moment longer
      const field = `--field-selector=spec.nodeName=${node},status.phase!=Failed,status.phase!=Succeeded`
      assert.equal(await kubectl(['get', 'pods', '-A', field, '-o', 'name']), '')
      const waiting = await mine('get', 'pods', '-o', 'jsonpath={.items[*].status.phase}')
      assert.deepEqual([...new Set(waiting.split(' '))], ['Pending'])
    })

    it('leaves a node that is opened by node.uncordon, and everything serves again', async () => {
      const view = await tenant.agent.ask('node.uncordon', {}, target())
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view))
      await apply(w, [budget(1)])
      await Promise.all(['a-free', 'held', 'rolled', 'spoilt'].map(serves))
    })

    it('stops at a Pod that its plan does not list, and takes the cordon back', async () => {
      const [old] = await podNames('held')
      const id = await heldDrain()
      // no scheduler keeps a Pod away that names its node
      const metadata = { name: 'stranger', namespace: tenant.targets }
      const spec = { ...realPod(), nodeName: node }
      await apply(w, [{ apiVersion: 'v1', kind: 'Pod', metadata, spec }])
      const view = await ends(id)
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view))
      assert.match(
        JSON.stringify(view.events),
        /turned up that the plan does not list: \S+stranger/,
      )
      assert.equal(await cordoned(), false)
      assert.deepEqual(await podNames('held'), [old])
      await mine('delete', 'pod', 'stranger', '--wait')
      await Promise.all(['a-free', 'rolled', 'spoilt'].map(serves))
    })

    it('evicts nothing more once everything is suspended, and is held until resumed', async () => {
      const [old] = await podNames('held')
      const id = await heldDrain()
      await kubectl(['label', 'namespace', systemNamespace, `${suspendedLabel}=true`])
      await until('it is being undone', async () => (await now(id)).summary.phase === 'undo')
      // from here the budget would let the Pod go
      await apply(w, [budget(0)])
      const held = await tenant.agent.follow(id, 6)
      assert.equal(held.summary.phase, 'undo', JSON.stringify(held))
      assert.deepEqual(await podNames('held'), [old])
      assert.equal(await cordoned(), true)
      await kubectl(['label', 'namespace', systemNamespace, `${suspendedLabel}-`])
      const view = await ends(id)
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view))
      assert.equal(await cordoned(), false)
      await apply(w, [budget(1)])
      await Promise.all(['a-free', 'rolled', 'spoilt'].map(serves))
    })
  })
})
