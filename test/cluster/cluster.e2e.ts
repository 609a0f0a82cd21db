import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { attach, availability, type Cluster, up } from './cluster.ts'
import { type Traces, tracesOf } from './leftovers.ts'
import { isAlive, outcomeOf, run } from './process.ts'
import { eventually, killedOwnerLeavesNothing, kubectl, stateOf, upTwice } from './self-test.ts'
import { unlessCi } from './unless-ci.ts'

const { source, missing } = await availability()
const own = source === 'build' || source === 'assets'
const wanting = missing.map(({ what }) => what).join(', ')
const needed = unlessCi(own ? undefined : `no cluster of our own can be had here: ${wanting}`)

const TIMEOUT = { timeout: 900_000 }

describe('a control plane', { ...needed, ...TIMEOUT }, () => {
  let cluster: Cluster
  let traces: Traces
  before(async () => {
    cluster = await upTwice('control-plane')
    traces = tracesOf(stateOf(cluster.name))
  }, TIMEOUT)
  after(() => cluster?.down())

  test('the administrator sees its Namespaces', async () => {
    assert.match(await kubectl(cluster, 'get', 'namespaces'), /kube-system/)
  })

  test('a certificate is a user and groups, without a right of its own', async () => {
    const owner = { name: 'anna', user: 'anna', groups: ['blue', 'green'] }
    const kubeconfig = await cluster.issueKubeconfig(owner)
    const as = [cluster.kubectl, '--kubeconfig', kubeconfig]
    const { status } = JSON.parse(await run([...as, 'auth', 'whoami', '--output', 'json']))
    assert.equal(status.userInfo.username, 'anna')
    assert.deepEqual(status.userInfo.groups, ['blue', 'green', 'system:authenticated'])
    assert.match((await outcomeOf([...as, 'get', 'pods'])).stderr, /forbidden/)
  })

  test('the API server starts again on the same data', async () => {
    await kubectl(cluster, 'create', 'configmap', 'kept', '--from-literal=a=b')
    await cluster.stopApiServer()
    const args = ['--kubeconfig', cluster.kubeconfig, 'get', 'configmap', 'kept']
    assert.notEqual((await outcomeOf([cluster.kubectl, ...args])).code, 0)
    const again = await attach(cluster.name)
    await again.startApiServer()
    assert.match(await kubectl(cluster, 'get', 'configmap', 'kept'), /kept/)
  })

  test('the audit log names who wrote, and holds no secret', async () => {
    await kubectl(cluster, 'create', 'namespace', 'audited')
    const secret = ['secret', 'generic', 'audited', '--from-literal=key=not-for-the-log']
    await kubectl(cluster, 'create', ...secret)
    const log = await readFile(cluster.auditLog, 'utf8')
    assert.match(log, /"username":"admin".*"resource":"namespaces".*"name":"audited"/)
    assert.ok(!log.includes(Buffer.from('not-for-the-log').toString('base64')))
  })

  test('nothing is left after it is taken down', async () => {
    assert.notDeepEqual(await traces(), [])
    await cluster.down()
    assert.deepEqual(await traces(), [])
    await assert.rejects(attach(cluster.name), /npm run cluster -- up/)
  })
})

test('a control plane dies with its owner and leaves nothing', { ...needed, ...TIMEOUT }, () =>
  killedOwnerLeavesNothing('control-plane'),
)

test('what crashed altogether is cleaned up by the next of that name', {
  ...needed,
  ...TIMEOUT,
}, async () => {
  const name = `crash-${process.pid}`
  const first = await up({ name })
  const state = stateOf(name)
  const traces = tracesOf(state)
  // as after a power cut, but for etcd: nobody is there to clean up
  for (const program of state.programs) {
    if (program.name !== 'etcd') process.kill(program.process.pid, 'SIGKILL')
  }
  await assert.rejects(up({ name }), /is up already/)
  const etcd = state.programs.find((program) => program.name === 'etcd')
  process.kill(etcd?.process.pid ?? 0, 'SIGKILL')
  const alive = () => state.programs.filter((program) => isAlive(program.process)).length
  await eventually(async () => `${alive()}`, /^0$/)
  const second = await up({ name })
  assert.notEqual(second.server, first.server)
  await second.down()
  assert.deepEqual(await traces(), [])
})
