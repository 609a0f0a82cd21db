import { before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { attempt, passed, refusedBy, until } from './attempt.ts'
import { apply, type Governed, governed, read } from './governed.ts'
import { agentKeyOf, approvalOf, approvalsIn, namespacedPath } from './specimens.ts'
import { noCluster, type World, world } from './world.ts'

describe('records go when they may and not before', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  let registrar: KubeClient
  before(async () => {
    w = await world()
    g = await governed(w)
    registrar = (await w.serviceAccount('jackstay-system', 'jackstay-registrar')).client
  })

  const gone = async (path: string) => (await attempt(w.admin, 'GET', path)).status === 404

  it('the mediator deletes an approval, whatever becomes of its dependents (T84)', async (t) => {
    if (!w.cluster.controllers) return t.skip('the cluster has no garbage collector')
    const person = w.admin.as({ username: 'oncall-1', groups: ['system:masters'] })
    const mediator = (await w.serviceAccount('jackstay-system', 'jackstay-mediator')).client
    for (const propagationPolicy of ['Background', 'Foreground', 'Orphan']) {
      const one = approvalOf(g.target)
      const path = `${approvalsIn(g.target)}/${one.metadata.name}`
      passed(await attempt(person, 'POST', approvalsIn(g.target), one))
      const options = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy }
      passed(await attempt(mediator, 'DELETE', path, options))
      await until(`the approval is gone: ${propagationPolicy}`, () => gone(path))
    }
  })

  describe('an AgentKey', () => {
    const keys = () => namespacedPath('agentkeys', g.namespace)
    const enrolled = async (metadata = {}) => {
      const one = agentKeyOf(g.namespace)
      passed(
        await attempt(registrar, 'POST', keys(), {
          ...one,
          metadata: { ...one.metadata, ...metadata },
        }),
      )
      return `${keys()}/${one.metadata.name}`
    }

    it('is written, revoked and deleted by no person: its Pod could enrol again (T08, T80)', async () => {
      const path = await enrolled()
      const other = agentKeyOf(g.namespace)
      refusedBy('jackstay-agentkeys-written', await attempt(w.admin, 'POST', keys(), other))
      const revoked = { status: { revoked: true } }
      const status = `${path}/status`
      refusedBy('jackstay-agentkeys-written', await attempt(w.admin, 'PATCH', status, revoked))
      const ghost = { apiVersion: 'v1', kind: 'Pod', name: 'ghost', uid: 'none' }
      const orphaned = { metadata: { ownerReferences: [ghost] } }
      refusedBy('jackstay-agentkeys-written', await attempt(w.admin, 'PATCH', path, orphaned))
      refusedBy('jackstay-agentkeys-kept', await attempt(w.admin, 'DELETE', path))
      refusedBy('jackstay-agentkeys-kept', await attempt(w.admin, 'DELETE', keys()))
      passed(await attempt(w.admin, 'GET', path))
    })

    it('that is revoked stays revoked, whoever asks (T08)', async () => {
      const status = `${await enrolled()}/status`
      const revoke = (revoked: boolean | null) =>
        attempt(registrar, 'PATCH', status, { status: { revoked, reason: 'two keys of one Pod' } })
      passed(await revoke(true))
      for (const back of [false, null]) refusedBy('jackstay-agentkeys-written', await revoke(back))
    })

    it('goes with its Pod', async (t) => {
      if (!w.cluster.controllers) return t.skip('the cluster has no garbage collector')
      const container = { name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }
      const spec = { schedulingGates: [{ name: 'example.org/never' }], containers: [container] }
      const name = 'agent-0'
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: g.namespace },
        spec,
      }
      await apply(w, [pod])
      const at = `/api/v1/namespaces/${g.namespace}/pods/${name}`
      const { uid = '' } = (await read(w.admin, at)).metadata
      const path = await enrolled({
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid }],
      })
      passed(await attempt(w.admin, 'DELETE', at))
      await until('the key is gone', () => gone(path))
    })
  })
})
