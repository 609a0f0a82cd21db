import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { installJackstay } from '@jackstay/lab/install'
import { type Answer, attempt, passed, refusedBy, until } from './attempt.ts'
import { deploymentOf, type Governed, governed, suffix } from './governed.ts'
import { clusterPath, suspensionOf } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'

const kind = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/suspensions.jackstay.dev'
const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
const byKind = `${bindings}/jackstay-suspended-by-kind`

/*
 * The policies do not let the kind of Suspensions go while it is bound (missing-kind.e2e.ts). A restored
 * backup or an administrator who unbinds them first can still lose it: this is what then holds.
 */
describe('the kind Suspension lost while it is bound (T86)', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })
  after(async () => {
    if (w?.restartable) await install()
  })

  async function install(): Promise<void> {
    await installJackstay({ client: w.admin, signal: AbortSignal.timeout(120_000) })
  }

  const write = () => g.patch({ spec: { replicas: 1 } }, { dryRun: true })
  const update = () => g.patch({ spec: { replicas: 2 } }, { as: w.admin, dryRun: true })

  it('refuses executors, leaves the rest of the cluster alone, and has a way out', async (t) => {
    if (!w.restartable) return t.skip('the API server of a given cluster is not ours to restart')
    await lose()
    await w.cluster.stopApiServer()
    await w.cluster.startApiServer()
    await until('the server misses it', async () =>
      /suspended-by-kind/.test((await write()).message),
    )
    refusedBy('jackstay-suspended-by-kind', await write())
    for (const [what, answer] of Object.entries(await othersWrites())) {
      assert.doesNotThrow(() => passed(answer), what)
    }
    // parameters are resolved before match conditions: this one write of everybody's is refused too
    refusedBy('jackstay-suspended-by-kind', await update())
    passed(await attempt(w.admin, 'DELETE', byKind))
    await until('the way out works', async () => (await update()).status < 300)
  })

  it('and once it is back, a Suspension bites again', async (t) => {
    if (!w.restartable) return t.skip('the API server of a given cluster is not ours to restart')
    await install()
    // admission looks for new kinds every half a minute
    await until('the executor writes', async () => (await write()).status < 300, 90_000)
    const one = suspensionOf({ class: g.class })
    passed(await attempt(w.admin, 'POST', clusterPath('suspensions'), one))
    await until('it bites', async () => (await write()).message.includes('a Suspension stops'))
    passed(await attempt(w.admin, 'DELETE', `${clusterPath('suspensions')}/${one.metadata.name}`))
    await until('its end frees', async () => (await write()).status < 300)
  })

  /** Deletes the kind with its guards unbound. */
  async function lose(): Promise<void> {
    for (const guard of ['unbound', 'kept']) {
      passed(await attempt(w.admin, 'DELETE', `${bindings}/jackstay-suspension-kind-${guard}`))
    }
    await until(
      'the kind may go',
      async () => (await attempt(w.admin, 'DELETE', kind)).status < 300,
    )
    await until('the kind is gone', async () => {
      return (await attempt(w.admin, 'GET', kind)).status === 404
    })
  }

  /** What must work for everybody else, all of it stored. */
  async function othersWrites(): Promise<Record<string, Answer>> {
    const name = `other-${suffix()}`
    const core = `/api/v1/namespaces/${g.target}`
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${g.target}/leases`
    const coordination = 'coordination.k8s.io/v1'
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }
    const lease = { apiVersion: coordination, kind: 'Lease', metadata: { name } }
    const born = deploymentOf(g.target, name, 0)
    const deployed = deploymentOf('default', name, 0)
    const [elsewhere, scale] = [g.path('default', name), { spec: { replicas: 0 } }]
    const label = { metadata: { labels: { seen: 'yes' } } }
    return {
      'ConfigMap there': await attempt(w.admin, 'POST', `${core}/configmaps`, configMap),
      'Lease there': await attempt(w.admin, 'POST', leases, lease),
      'new Deployment there': await attempt(w.admin, 'POST', g.path(g.target), born),
      'scale there': await attempt(w.admin, 'PATCH', `${g.deployment}/scale`, scale),
      'label of the namespace': await attempt(w.admin, 'PATCH', core, label),
      'Deployment elsewhere': await attempt(w.admin, 'POST', g.path('default'), deployed),
      'its update': await attempt(w.admin, 'PATCH', elsewhere, scale),
      'its end': await attempt(w.admin, 'DELETE', elsewhere),
    }
  }
})
