import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { installJackstay } from '@jackstay/lab/install'
import { attempt, passed, refusedBy, until } from './attempt.ts'
import { apply, deploymentOf, type Governed, governed, suffix } from './governed.ts'
import { clusterPath, suspensionOf } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'

const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const kind = `${crd}/suspensions.jackstay.dev`
const system = '/api/v1/namespaces/jackstay-system'
const binding =
  '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/jackstay-suspended-by-kind'

describe('the kind Suspension missing (T86)', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let user: KubeClient
  before(async () => {
    w = await world()
    g = await governed(w)
    user = (await w.person('platform-1', ['system:masters'])).client
  })
  after(async () => {
    if (w !== undefined) await restore()
  })

  const dryRun = { dryRun: true }
  const label = async (value: string | null) => {
    const labels = { 'jackstay.dev/suspended': value }
    passed(await attempt(w.admin, 'PATCH', system, { metadata: { labels } }))
  }
  const restore = async () => {
    await installJackstay({ client: w.admin, signal: AbortSignal.timeout(120_000) })
    await label(null)
  }
  const write = () => g.patch({ spec: { replicas: 2 } }, dryRun)

  it('is no accident: the kind is not deleted by a slip, singly or as a collection', async () => {
    const kept = 'jackstay-suspension-kind-'
    refusedBy(kept, await attempt(user, 'DELETE', kind, undefined, dryRun))
    const query = { fieldSelector: 'metadata.name=suspensions.jackstay.dev' }
    refusedBy(kept, await attempt(user, 'DELETE', crd, undefined, { ...dryRun, query }))
    const annotations = { 'jackstay.dev/allow-deletion': 'true' }
    passed(await attempt(user, 'PATCH', kind, { metadata: { annotations } }))
    refusedBy(kept, await attempt(user, 'DELETE', kind, undefined, dryRun))
    await label('')
    await until('the label counts', async () => {
      const { message } = await attempt(user, 'DELETE', kind, undefined, dryRun)
      return message.includes('jackstay-suspension-kind-unbound')
    })
  })

  it('stops executors and nobody else, when the API server starts without it', async (t) => {
    if (!w.restartable) return t.skip('the API server of a given cluster is not ours to restart')
    passed(await attempt(user, 'DELETE', binding))
    passed(await attempt(user, 'DELETE', `${binding}-labelled`))
    await until('the kind may go', async () => {
      return (await attempt(user, 'DELETE', kind, undefined, dryRun)).status < 300
    })
    passed(await attempt(user, 'DELETE', kind))
    await until('the kind is gone', async () => {
      return (await attempt(user, 'GET', kind)).status === 404
    })
    await w.cluster.stopApiServer()
    await w.cluster.startApiServer()
    await until('the API server answers', async () => {
      return await attempt(w.admin, 'GET', '/readyz').then(
        ({ status }) => status === 200,
        () => false,
      )
    })
    await othersWrite()
    refusedBy('jackstay-suspended-by-label', await write())
  })

  it('bites again once the kind is back', async (t) => {
    if (!w.restartable) return t.skip('the API server of a given cluster is not ours to restart')
    await restore()
    // admission asks for new kinds every half a minute, and the policy was bound again before that
    await until('the executor writes', async () => (await write()).status < 300, 60_000)
    const one = suspensionOf({ class: g.class })
    passed(await attempt(user, 'POST', clusterPath('suspensions'), one))
    await until('the Suspension bites', async () => {
      return (await write()).message.includes('a Suspension stops this class')
    })
    await othersWrite()
    passed(await attempt(user, 'DELETE', `${clusterPath('suspensions')}/${one.metadata.name}`))
    await until('the executor writes again', async () => (await write()).status < 300)
  })

  /** What a cluster lives on: people's and controllers' writes, governed namespaces included. */
  async function othersWrite(): Promise<void> {
    const name = `x-${suffix()}`
    const labels = { labels: { touched: name } }
    passed(await attempt(user, 'PATCH', g.deployment, { metadata: labels, spec: { replicas: 1 } }))
    passed(await attempt(user, 'PATCH', `${g.deployment}/scale`, { spec: { replicas: 2 } }))
    passed(await attempt(user, 'PATCH', `${g.deployment}/status`, { status: { replicas: 99 } }))
    await apply(w, [deploymentOf(g.target, name, 0), deploymentOf('default', name, 0)])
    passed(await attempt(user, 'DELETE', g.path(g.target, name)))
    passed(await attempt(user, 'DELETE', g.path('default', name)))
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
    passed(await attempt(user, 'POST', `/api/v1/namespaces/${g.target}/configmaps`, configMap))
    const node = w.admin.as({
      username: `system:node:${name}`,
      groups: ['system:nodes', 'system:authenticated'],
    })
    const nodes = '/api/v1/nodes'
    passed(
      await attempt(node, 'POST', nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } }),
    )
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Test', message: 'beats' }]
    passed(await attempt(node, 'PATCH', `${nodes}/${name}/status`, { status: { conditions } }))
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } }
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
    passed(await attempt(node, 'POST', leases, lease))
    passed(await attempt(user, 'DELETE', `${nodes}/${name}`))
  }
})
