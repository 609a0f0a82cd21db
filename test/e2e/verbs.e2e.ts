import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { IntentView } from '@jackstay/contract/api'
import { at } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { attempt, passed } from './attempt.ts'
import { apply, removed } from './governed.ts'
import { type LineWorld, lineWorld, noLine, phaseOf, type Tenant } from './line-world.ts'

const allow = [{ name: 'allow', allow: { when: 'true' } }]
const actions = ['node.cordon', 'node.uncordon', 'node.drain', 'pod.evict', 'job.retry']

describe('evictions, nodes and new objects through the whole line', {
  skip: await noLine(),
}, () => {
  let w: LineWorld
  let tenant: Tenant
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant({ actions, rules: allow, verifySeconds: 30 })
  })
  after(async () => await w?.close())

  const read = async (args: readonly string[], path: string) => {
    const { code, stdout } = await w.kubectl([...args, '-o', 'json'])
    return code === 0 ? at(JSON.parse(stdout) as Json, path) : undefined
  }
  const container = { name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }
  /** Runs nowhere: the node it asks for does not exist. */
  const nowhere = { nodeSelector: { 'example.org/none': 'yes' }, containers: [container] }

  describe('a node', () => {
    const name = `quiet-${randomBytes(3).toString('hex')}`
    const path = `/api/v1/nodes/${name}`
    const target = { apiVersion: 'v1', kind: 'Node', name }
    before(async () => {
      const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } }
      passed(await attempt(w.admin, 'POST', '/api/v1/nodes', node))
    })
    after(async () => await removed(w, path))

    it('that was not put under Jackstay on purpose is left alone', async () => {
      const view = await tenant.agent.ask('node.cordon', {}, target)
      assert.equal(phaseOf(view), 'refused/not_governed', JSON.stringify(view.summary))
      const labels = { metadata: { labels: { [governedLabel]: 'true' } } }
      passed(await attempt(w.admin, 'PATCH', path, labels))
    })

    it('is closed and opened, and nothing else of it is touched', async () => {
      const closed = await tenant.agent.ask('node.cordon', {}, target)
      assert.equal(phaseOf(closed), 'verified/succeeded', JSON.stringify(closed.summary))
      assert.equal(closed.summary.target, `Node ${name}`)
      assert.equal(await read(['get', 'node', name], '/spec/unschedulable'), true)
      const again = await tenant.agent.ask('node.cordon', {}, target)
      assert.equal(phaseOf(again), 'refused/no_change')
      const opened = await tenant.agent.ask('node.uncordon', {}, target)
      assert.equal(phaseOf(opened), 'verified/succeeded', JSON.stringify(opened.summary))
      assert.equal(await read(['get', 'node', name], '/spec/unschedulable'), undefined)
    })

    it('in no namespace is named without one', async () => {
      const named = { ...target, namespace: tenant.targets }
      const view = await tenant.agent.ask('node.cordon', {}, named)
      assert.match(phaseOf(view), /^refused\//, JSON.stringify(view.summary))
    })
  })

  describe('node.drain, between two evictions', () => {
    const name = `busy-${randomBytes(3).toString('hex')}`
    const target = { apiVersion: 'v1', kind: 'Node', name }
    let own: Tenant
    let other: string
    before(async () => {
      const closed = { name: 'closed', deny: { when: '"closed" in namespace.labels' } }
      const rules = [...allow, closed]
      own = await w.tenant({ actions: ['node.drain'], rules, verifySeconds: 300 })
      // behind the first one in the order of the plan
      other = `z-${own.targets}`
      const labels = { [governedLabel]: 'true' }
      await apply(w, [
        { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: other, labels } },
        ...[own.targets, other].map((namespace) => ({
          ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owner', namespace } },
        })),
        {
          ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
          metadata: { name: 'held', namespace: other },
          spec: { minAvailable: 1, selector: { matchLabels: { app: 'held' } } },
        },
      ])
      await pod(other, 'held')
    })
    after(async () => {
      const pods = `/api/v1/namespaces/${other}/pods/held`
      const now = { query: { gracePeriodSeconds: '0' } }
      await attempt(w.admin, 'DELETE', pods, undefined, now)
      await removed(w, `/api/v1/nodes/${name}`)
    })

    /** On the node, without anybody who would start it; a controller would make another one at once. */
    async function pod(namespace: string, app: string): Promise<void> {
      const uid = await read(['-n', namespace, 'get', 'configmap', 'owner'], '/metadata/uid')
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, controller: true }
      const metadata = { name: app, namespace, labels: { app }, ownerReferences: [owner] }
      const spec = { nodeName: name, containers: [container], terminationGracePeriodSeconds: 0 }
      await apply(w, [{ apiVersion: 'v1', kind: 'Pod', metadata, spec }])
      // one that is pending goes past any budget
      const path = `/api/v1/namespaces/${namespace}/pods/${app}/status`
      passed(await attempt(w.admin, 'PATCH', path, { status: { phase: 'Running' } }))
    }

    const written = (view: IntentView) =>
      view.events.flatMap(({ type, data }) => (type === 'written' ? [JSON.stringify(data)] : []))

    /** A drain that evicted what may go and is held back by a budget, until `stop`; then how it ended. */
    async function stopped(stop: () => Promise<unknown>): Promise<IntentView> {
      await pod(own.targets, 'free')
      const { id } = (await own.agent.ask('node.drain', {}, target, 0)).summary
      await w.until(async () => {
        const view = await own.agent.follow(id, 0)
        assert.ok(!view.events.some(({ type }) => type === 'ended'), JSON.stringify(view))
        return written(view).some((one) => one.includes('"w3"') && one.includes('"later"'))
      }, 'the drain is held back')
      await stop()
      await w.until(
        async () => phaseOf(await own.agent.follow(id, 5)) === 'rolled_back/undone',
        'it is taken back',
      )
      const view = await own.agent.follow(id, 0)
      assert.match(JSON.stringify(view), /stopped after w2 \(evict Pod [^)]+free\), 2 of 3 writes/)
      assert.equal(await read(['get', 'node', name], '/spec/unschedulable'), undefined)
      assert.ok(await read(['-n', other, 'get', 'pod', 'held'], '/metadata/uid'))
      return view
    }
    const because = (view: IntentView) =>
      view.events.flatMap(({ type, data }) => (type === 'undoing' ? [JSON.stringify(data)] : []))

    it('stops for a window that shuts the namespace of the next Pod, and begins no other (T28)', async (t) => {
      const path = `/apis/${groupVersion}/changewindows`
      const metadata = { name: `shut-${own.class}` }
      const instant = (hours: number) =>
        `${new Date(Date.now() + hours * 3600_000).toISOString().slice(0, 19)}Z`
      const once = { from: instant(-1), until: instant(1) }
      const spec = { effect: 'freeze', once, actions: ['node.drain'], namespaces: [other] }
      const window = { apiVersion: groupVersion, kind: 'ChangeWindow', metadata, spec }
      t.after(async () => await removed(w, `${path}/${metadata.name}`))
      const view = await stopped(async () => passed(await attempt(w.admin, 'POST', path, window)))
      assert.match(because(view).join(), /in the namespace .*"window_closed"/)
      const again = await own.agent.ask('node.drain', {}, target)
      assert.equal(phaseOf(again), 'refused/window_closed', JSON.stringify(again.summary))
    })

    it('stops for a Suspension of the next Pod, and is taken back past it (T73)', async (t) => {
      const path = `/apis/${groupVersion}/suspensions`
      const metadata = { name: `held-${own.class}` }
      const spec = { target: { kind: 'Pod', namespace: other, name: 'held' }, reason: 'the test' }
      const suspension = { apiVersion: groupVersion, kind: 'Suspension', metadata, spec }
      t.after(async () => await removed(w, `${path}/${metadata.name}`))
      const view = await stopped(async () =>
        passed(await attempt(w.admin, 'POST', path, suspension)),
      )
      assert.match(because(view).join(), /"suspended"/)
    })

    it('stops where its rules deny the namespace of the next Pod by a label (T19)', async (t) => {
      const path = `/api/v1/namespaces/${other}`
      const label = (closed: string | null) =>
        attempt(w.admin, 'PATCH', path, { metadata: { labels: { closed } } })
      t.after(async () => passed(await label(null)))
      const view = await stopped(async () => passed(await label('')))
      assert.match(because(view).join(), /in the namespace .*\/closed.*"denied"/)
      const again = await own.agent.ask('node.drain', {}, target)
      assert.equal(phaseOf(again), 'refused/denied', JSON.stringify(again.summary))
    })

    it('stops for an edit of its rules (T19)', async (t) => {
      const path = `/apis/${groupVersion}/actionpolicies/${own.class}`
      const deny = { name: 'no', deny: { when: `class.name == "${own.class}"` } }
      t.after(async () => await removed(w, path))
      const view = await stopped(async () => {
        const spec = { rules: [{ name: 'allow', allow: { when: 'true' } }, deny] }
        passed(await attempt(w.admin, 'PATCH', path, { spec }))
      })
      assert.match(because(view).join(), /"policy_changed"/)
    })
  })

  describe('pod.evict', () => {
    it('asks people where nothing replaces the Pod, whatever rules say', async () => {
      const metadata = { name: 'alone', namespace: tenant.targets }
      await apply(w, [{ apiVersion: 'v1', kind: 'Pod', metadata, spec: nowhere }])
      const target = { apiVersion: 'v1', kind: 'Pod', ...metadata }
      const waiting = await tenant.agent.ask('pod.evict', {}, target)
      assert.equal(phaseOf(waiting), 'approve', JSON.stringify(waiting.summary))
      const { id } = waiting.summary
      const shown = await read(['-n', tenant.targets, 'get', 'intent', id], '/status/diff/0')
      assert.equal(shown, `Pod ${tenant.targets}/alone (evict): "present" → (absent)`)
      await w.approve(id, tenant)
      const done = await tenant.agent.follow(id)
      assert.equal(phaseOf(done), 'verified/succeeded', JSON.stringify(done.summary))
      assert.equal(
        await read(['-n', tenant.targets, 'get', 'pod', 'alone'], '/metadata/uid'),
        undefined,
      )
    })

    it('leaves the rest to the controller where the Pod has one', async () => {
      await w.deployment(tenant, 'evicted', 1)
      const pods = ['-n', tenant.targets, 'get', 'pods', '-l', 'app=evicted']
      await w.until(async () => (await read(pods, '/items/0/metadata/name')) !== undefined, 'a Pod')
      const name = String(await read(pods, '/items/0/metadata/name'))
      const target = { apiVersion: 'v1', kind: 'Pod', namespace: tenant.targets, name }
      const view = await tenant.agent.ask('pod.evict', {}, target)
      assert.equal(phaseOf(view), 'verified/succeeded', JSON.stringify(view.summary))
    })
  })

  describe('job.retry', () => {
    const failing = (name: string) => ({
      ...{ apiVersion: 'batch/v1', kind: 'Job' },
      metadata: { name, namespace: tenant.targets },
      spec: {
        ...{ activeDeadlineSeconds: 1, backoffLimit: 0 },
        template: { spec: { ...nowhere, restartPolicy: 'Never' } },
      },
    })
    const target = (name: string) => ({
      ...{ apiVersion: 'batch/v1', kind: 'Job', namespace: tenant.targets, name },
    })

    it('is refused for a Job that has not failed', async () => {
      const running = failing('running')
      await apply(w, [{ ...running, spec: { ...running.spec, suspend: true } }])
      const view = await tenant.agent.ask('job.retry', {}, target('running'))
      assert.equal(phaseOf(view), 'refused/unsuitable_target', JSON.stringify(view.summary))
    })

    it('makes a new Job, and takes that one back where it fails as well', async () => {
      await apply(w, [failing('report')])
      const failed = ['-n', tenant.targets, 'wait', '--for=condition=Failed', 'job/report']
      assert.equal((await w.kubectl([...failed, '--timeout=60s'])).code, 0)
      const view = await tenant.agent.ask('job.retry', {}, target('report'))
      assert.equal(phaseOf(view), 'rolled_back/undone', JSON.stringify(view))
      const made = view.events.find(({ type }) => type === 'written')
      assert.match(JSON.stringify(made), /"outcome":"applied"/)
      const label = 'jackstay.dev/retries=report'
      const retries = ['-n', tenant.targets, 'get', 'jobs', '-l', label]
      assert.equal(await read(retries, '/items/0/spec/suspend'), true, 'it stays, suspended')
      assert.equal(await read(retries, '/items/1'), undefined)
      const first = await read(['-n', tenant.targets, 'get', 'job', 'report'], '/spec/suspend')
      assert.equal(first, false)
    })
  })
})
