import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { differences } from './kubectl-differences.ts'
import { lines, namespace } from './kubectl-lines.ts'
import { Kubectl, LabServer, Twins, type } from './kubectl-twins.ts'
import { realServer } from './two-servers.ts'
import { noCluster } from './world.ts'

/** The same kubectl says the same at the lab and at a real API server. */
describe('kubectl at the lab', { skip: await noCluster() }, () => {
  const server = new LabServer()
  let real: Kubectl
  let lab: Kubectl
  before(async () => {
    const { cluster } = await realServer()
    const cache = join(cluster.directory, 'kubectl')
    real = new Kubectl(cluster.kubectl, cluster.kubeconfig, cache, namespace)
    lab = await server.start(cluster.kubectl, [], namespace)
    for (const one of [real, lab]) {
      const { code, stderr } = await one.run(type(`create namespace ${namespace}`))
      assert.equal(code, 0, stderr)
    }
  })
  after(async () => {
    await real.run(type(`delete namespace ${namespace} --wait=false`))
    await server.stop()
    assert.deepEqual(server.errors, [])
  })

  it('says what it says at a real server', async () => {
    const twins = new Twins(real, lab, differences)
    for (const line of lines) await twins.take(line)
    const unseen = Object.keys(differences).filter((text) => !twins.seen.has(text))
    assert.deepEqual(unseen, [], 'differences of lines that nobody types')
  })
})
