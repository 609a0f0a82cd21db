import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { until } from './attempt.ts'
import { type LineWorld, lineWorld, noLine, type Tenant } from './line-world.ts'
import { fireAlert, startReplica, type Told } from './runbook-replica.ts'

describe('two replicas of the runbook agent', { skip: await noLine() }, () => {
  let w: LineWorld
  let tenant: Tenant
  let directory: string
  const told: (Told & { readonly replica: string })[] = []
  const stops: (() => Promise<void>)[] = []
  before(async () => {
    w = await lineWorld()
    tenant = await w.tenant()
    directory = await mkdtemp(join(tmpdir(), 'jackstay-runbook-'))
    await Promise.all(['runbook-1', 'runbook-2'].map(begin))
  })
  after(async () => {
    await Promise.all(stops.map((stop) => stop()))
    await w?.close()
    await rm(directory, { recursive: true })
  })

  async function begin(name: string) {
    const onTold = (event: Told) => told.push({ replica: name, ...event })
    stops.push(await startReplica(w, tenant, { name, directory, onTold }))
  }

  const alert = (fingerprint: string, deployment: string) =>
    fireAlert(w, tenant, fingerprint, deployment)

  const events = (name: string) => told.filter(({ event }) => event === name)

  it('answer an alert about a Deployment at zero once, and call a person after a no (T61)', async () => {
    await w.deployment(tenant, 'asleep', 3)
    await w.until(async () => (await replicaSets('asleep')) === '3', 'its ReplicaSet is sized')
    await w.kubectl(['-n', tenant.targets, 'scale', 'deployment/asleep', '--replicas=0'])
    await w.until(async () => (await replicaSets('asleep')) === '0', 'it is at zero')
    await alert('abe1', 'asleep')
    const waiting = () => events('agent.intent').find(({ phase }) => phase === 'approve')
    await until('an intent waits for people', async () => waiting() !== undefined, 60_000)
    const asked = waiting()
    const [diagnosis] = events('agent.diagnosis')
    assert.deepEqual(diagnosis?.params, { replicas: 3 })
    await w.approve(String(asked?.id), tenant, { verdict: 'reject' })
    await until('a person is called', async () => events('agent.escalated').length > 0, 60_000)
    assert.equal(events('agent.escalated')[0]?.phase, 'rejected')

    assert.equal(new Set(events('agent.intent').map(({ id }) => id)).size, 1)
    assert.equal(events('agent.trigger').length, 1, 'the alert went to one of them')
    assert.equal(await w.replicas(tenant, 'asleep'), 0)
  })

  it('call a person for Pods that find no node, and ask for nothing', async () => {
    await w.deployment(tenant, 'homeless', 1)
    const before = new Set(events('agent.intent').map(({ id }) => id))
    await alert('abe3', 'homeless')
    const seen = () =>
      events('agent.escalated').filter(({ message }) => String(message).includes('homeless'))
    await until('a person is called', async () => seen().length > 0, 240_000)
    const after = new Set(events('agent.intent').map(({ id }) => id))
    assert.deepEqual(after, before)
  })

  async function replicaSets(name: string): Promise<string> {
    const args = [
      'get',
      'replicasets',
      '-l',
      `app=${name}`,
      '-o',
      'jsonpath={.items[0].spec.replicas}',
    ]
    return (await w.kubectl(['-n', tenant.targets, ...args])).stdout
  }
})
