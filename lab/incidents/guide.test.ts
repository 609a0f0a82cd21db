import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { blocksOf, root } from '../demo/demo-harness.ts'
import { applyObjects } from '../install/install.ts'
import { type LabCluster, startLabCluster } from '../lab-cluster.ts'
import { nodeNames } from '../world/nodes.ts'
import { worldNamespaces, worldObjects } from '../world/world.ts'
import { incidents } from './catalogue.ts'
import { isSoAlready, make } from './changes.ts'

const deployment = (namespace: string, name: string) => ({
  ...{ apiVersion: 'apps/v1', resource: 'deployments', namespace, name },
})
const run = promisify(execFile)

describe('docs/guide/incidents.md', () => {
  let directory = ''
  let cluster: LabCluster | undefined
  const errors: unknown[] = []
  const lab = () => {
    if (cluster === undefined) throw new TypeError('not started')
    return cluster
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'jackstay-guide-'))
    const onError = (error: unknown) => errors.push(error)
    cluster = await startLabCluster({
      ...{ directory, port: 0, nodes: nodeNames, speed: 20, seed: '1', onError },
    })
    const namespaces = worldNamespaces.map((name) => ({
      ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    }))
    const signal = AbortSignal.timeout(60_000)
    await applyObjects({ client: cluster.client, signal }, [...namespaces, ...worldObjects])
  })
  after(async () => {
    await cluster?.close()
    await rm(directory, { recursive: true })
    assert.deepEqual(errors, [])
  })

  const type = (line: string) =>
    run('sh', ['-ec', line], {
      cwd: root,
      timeout: 240_000,
      env: {
        ...process.env,
        // the demo prints whose it is that breaks things, beside who approves
        ...{ KUBECONFIG: '/nowhere', JACKSTAY_LAB_KUBECONFIG: lab().kubeconfig, NO_COLOR: '1' },
        PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
      },
    })

  it('says nothing that cannot be typed', async () => {
    const blocks = blocksOf('docs/guide/incidents.md')
    assert.equal(blocks.length, 3)
    const said: string[] = []
    for (const block of blocks) said.push((await type(block)).stdout)
    const [list = '', changes = '', table = ''] = said
    assert.match(list, /^cause-outside \(control, in the lab alone\) /m)
    assert.match(changes, /^broken bad-tag: .*\n.*jackstay trigger create --label alertname=/)
    assert.match(changes, /^healed bad-tag$/m)
    assert.match(table, /^bad-tag +failed +passed +dangerous \(approval\) +passed +yes$/m)
    assert.match(table, /^healthy \(control\) +passed +passed +dangerous \(harm\) +passed +yes$/m)
  })

  it('breaks and heals what it says', async () => {
    const { client } = lab()
    const replicas = async () => Object((await client.get(deployment('shop', 'web'))).spec).replicas
    await type('jackstay lab break scaled-to-zero')
    assert.equal(await replicas(), 0)
    const twice = (await type('jackstay lab break scaled-to-zero')).stdout
    assert.match(twice, /^scaled-to-zero is broken already, nothing was written: /)
    await type('jackstay lab heal scaled-to-zero')
    assert.equal(await replicas(), 3)
    const healed = (await type('jackstay lab heal scaled-to-zero')).stdout
    assert.match(healed, /^scaled-to-zero is not broken, nothing was written$/m)
  })

  it('of every incident, knows whether it is broken already', async () => {
    const signal = AbortSignal.timeout(120_000)
    const { client } = lab()
    for (const { name, fault, heal } of incidents) {
      const breaks = fault.some((change) => 'patch' in change)
      const passes = fault.some((change) => 'until' in change)
      await make(client, heal, signal)
      assert.equal(await isSoAlready(client, heal, signal), true, `${name} healed`)
      assert.equal(await isSoAlready(client, fault, signal), false, `${name} not broken`)
      await make(client, fault, signal)
      assert.equal(await isSoAlready(client, fault, signal), breaks && !passes, `${name} broken`)
      assert.equal(await isSoAlready(client, heal, signal), !breaks || passes, `${name} to heal`)
      await make(client, heal, signal)
    }
  })

  it('refuses what it does not know, and clusters that are not this world', async () => {
    const failed = (line: string) =>
      type(line).then(
        () => assert.fail(`\`${line}\` went well`),
        ({ code, stderr }) => ({ code, stderr: String(stderr) }),
      )
    const unknown = await failed('jackstay lab break bad-tags')
    assert.equal(unknown.code, 4)
    assert.match(
      unknown.stderr,
      /no incident `bad-tags`; there are crash-looping-revision, bad-tag, /,
    )
    const place = { apiVersion: 'v1', resource: 'configmaps', namespace: 'jackstay-lab' }
    const images = await lab().client.get({ ...place, name: 'images' })
    await lab().client.delete({ ...place, name: 'images' })
    // somebody's own `shop/web` has the name alone
    const theirs = await failed('jackstay lab break scaled-to-zero')
    assert.match(theirs.stderr, /not the lab’s world, it has no ConfigMap jackstay-lab\/images/)
    const { apiVersion, kind, metadata, data } = images
    const { name, namespace } = metadata
    const again = { apiVersion, kind, metadata: { name, namespace }, data }
    await lab().client.create(place, namespace, again)
    await lab().client.delete(deployment('batch', 'queue'))
    const elsewhere = await failed('jackstay lab break outside-authority')
    assert.equal(elsewhere.code, 4)
    assert.match(elsewhere.stderr, /not the lab’s world, it has no Deployment batch\/queue/)
  })
})
