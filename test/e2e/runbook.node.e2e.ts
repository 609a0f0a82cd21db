import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { at } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import { governedLabel } from '@jackstay/contract/kinds/suspension'
import { until } from './attempt.ts'
import { apply, type Manifest } from './governed.ts'
import { type LineWorld, lineWorld, type Tenant } from './line-world.ts'
import { realDeployment } from './real-pods.ts'
import { fireAlert, startReplica, type Told } from './runbook-replica.ts'
import { noNode } from './world.ts'

const actions = ['workload.rollback', 'workload.setResources', 'workload.scale', 'node.uncordon']
const rules = [{ name: 'allow', allow: { when: 'true' } }]
const patienceMs = 180_000

/** Keeps much in memory, and serves. */
const hungry = ['node', '-e', 'globalThis.kept = Buffer.alloc(120e6, 1); require("/app/server.js")']
const memory = (limit: string) => ({
  resources: { requests: { memory: '16Mi' }, limits: { memory: limit } },
})
const cpu = (request: string) => ({ resources: { requests: { cpu: request } } })

/** How each Deployment is made, and what then goes wrong in its container. */
const incidents: Readonly<Record<string, { readonly well: Manifest; readonly bad: Manifest }>> = {
  crashing: { well: {}, bad: { command: ['node', '-e', 'process.exit(3)'] } },
  misnamed: {
    well: { imagePullPolicy: 'Never' },
    bad: { image: 'jackstay.local/app:1.0.0-typo' },
  },
  starved: { well: { command: hungry, ...memory('512Mi') }, bad: memory('64Mi') },
  oversized: { well: cpu('1m'), bad: cpu('4000') },
  recovered: { well: {}, bad: { command: ['node', '-e', 'process.exit(3)'] } },
  // no such registry, and no page of the runbook brings one back
  outside: { well: {}, bad: { image: 'registry.invalid/app:1' } },
  cordoned: { well: {}, bad: {} },
  well: { well: {}, bad: {} },
}

describe('the runbook agent and real Pods', { skip: await noNode({ own: true }) }, () => {
  let w: LineWorld
  let tenant: Tenant
  let directory: string
  let node: string
  let stop: (() => Promise<void>) | undefined
  const told: Told[] = []
  before(async () => {
    // the run's own node is full of Pods that other suites left
    w = await lineWorld({ mode: 'node', own: true })
    node = JSON.parse(await kubectl(['get', 'nodes', '-o', 'json'])).items[0].metadata.name
    tenant = await w.tenant({ actions, rules, verifySeconds: 120, readsNodes: true })
    directory = await mkdtemp(join(tmpdir(), 'jackstay-runbook-'))
    await apply(
      w,
      Object.entries(incidents).map(([name, { well }]) => manifest(name, well)),
    )
    const args = ['--cordon-settled-seconds', '0']
    const onTold = (event: Told) => told.push(event)
    stop = await startReplica(w, tenant, { name: 'runbook', directory, onTold, args })
    await Promise.all(Object.keys(incidents).map(serves))
  })
  after(async () => {
    await stop?.()
    await w?.close()
    await w?.cluster.down()
    if (directory) await rm(directory, { recursive: true })
  })

  async function kubectl(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await w.kubectl(args)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const mine = (...args: string[]) => kubectl(['-n', tenant.targets, ...args])
  const manifest = (name: string, container: Manifest) =>
    realDeployment({ namespace: tenant.targets, name, container })
  const serves = (name: string) => mine('rollout', 'status', `deployment/${name}`, '--timeout=180s')

  /** Alertmanager names alerts by hexadecimal digits. */
  const alert = (name: string) =>
    fireAlert(w, tenant, Buffer.from(name).toString('hex').slice(0, 16), name)

  /** One new revision that cannot work. */
  async function spoil(name: string): Promise<void> {
    const { well, bad } = incidents[name] ?? {}
    await apply(w, [manifest(name, { ...well, ...bad })])
  }

  const about = (name: string, event: string) => {
    const trigger = told.find(
      ({ event, labels }) =>
        event === 'agent.trigger' && at(labels as Json, '/deployment') === name,
    )
    return told.find((one) => one.event === event && one.triggerId === trigger?.triggerId)
  }

  /** What the agent told of an alert, once it has told it. */
  async function tells(name: string, ...events: readonly string[]): Promise<Told> {
    const found = () => events.map((event) => about(name, event)).find((one) => one !== undefined)
    await until(`${events.join(' or ')} of ${name}`, async () => found() !== undefined, patienceMs)
    return found() ?? {}
  }

  async function answered(name: string, action: string): Promise<Told> {
    await spoil(name)
    await alert(name)
    const outcome = await tells(name, 'agent.outcome', 'agent.escalated')
    assert.equal(
      outcome.phase,
      'verified',
      JSON.stringify([outcome, about(name, 'agent.diagnosis')]),
    )
    const diagnosis = about(name, 'agent.diagnosis')
    assert.equal(diagnosis?.action, action)
    await serves(name)
    return diagnosis
  }

  describe('together', { concurrency: true }, () => {
    it('a revision that crashes is rolled back', async () => {
      const diagnosis = await answered('crashing', 'workload.rollback')
      assert.deepEqual(diagnosis.params, { revision: 1 })
    })

    it('an image that does not exist is rolled back', async () => {
      const diagnosis = await answered('misnamed', 'workload.rollback')
      assert.deepEqual(diagnosis.params, { revision: 1 })
    })

    it('a memory limit that was lowered too far is raised again', async () => {
      const diagnosis = await answered('starved', 'workload.setResources')
      assert.deepEqual(diagnosis.params, { container: 'app', limits: { memory: '512Mi' } })
    })

    it('a request that fits on no node is lowered again', async () => {
      const diagnosis = await answered('oversized', 'workload.setResources')
      assert.deepEqual(diagnosis.params, { container: 'app', requests: { cpu: '1m' } })
    })

    it('what is well is left alone', async () => {
      await alert('well')
      assert.equal((await tells('well', 'agent.diagnosis')).kind, 'nothing')
    })

    it('what recovered before is left alone', async () => {
      await spoil('recovered')
      const restarts = 'jsonpath={.items[*].status.containerStatuses[0].restartCount}'
      const crashed = async () =>
        /[1-9]/.test(await mine('get', 'pods', '-l', 'app=recovered', '-o', restarts))
      await until('it crashes', crashed, patienceMs)
      await mine('rollout', 'undo', 'deployment/recovered')
      await serves('recovered')
      await alert('recovered')
      assert.equal((await tells('recovered', 'agent.diagnosis')).kind, 'nothing')
    })

    it('a cause outside of the cluster is told to people, and nothing is asked for', async () => {
      await spoil('outside')
      await alert('outside')
      const escalated = await tells('outside', 'agent.escalated')
      assert.equal(escalated.reason, 'cause_outside', JSON.stringify(escalated))
      assert.equal(about('outside', 'agent.intent'), undefined)
    })
  })

  it('a node that was left cordoned is opened again', async () => {
    await kubectl(['label', 'node', node, `${governedLabel}=true`, '--overwrite'])
    await kubectl(['cordon', node])
    await mine('scale', 'deployment/cordoned', '--replicas=2')
    await alert('cordoned')
    const outcome = await tells('cordoned', 'agent.outcome', 'agent.escalated')
    assert.equal(
      outcome.phase,
      'verified',
      JSON.stringify([outcome, about('cordoned', 'agent.diagnosis')]),
    )
    assert.equal(about('cordoned', 'agent.diagnosis')?.action, 'node.uncordon')
    await serves('cordoned')
  })
})
