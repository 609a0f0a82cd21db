import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { onResource } from './attributes.ts'
import { controllerAccounts, defaultAccess } from './bootstrap.ts'
import { listerOf } from './lister-builder.ts'
import { rbac } from './rbac.ts'

const rights = rbac(listerOf(...defaultAccess()))
const scale = { verb: 'patch', group: 'apps', resource: 'deployments', subresource: 'scale' }

describe('the roles that a lab begins with', () => {
  it('put together `edit` from `view` and its own, and `admin` from `edit`', () => {
    const held = (name: string) => rights.rulesBehind({ kind: 'ClusterRole', name }, '') ?? []
    const [view, edit, admin] = [held('view'), held('edit'), held('admin')]
    assert.ok(view.length > 0 && edit.length > view.length && admin.length > edit.length)
    for (const rule of view)
      assert.deepEqual(
        edit.filter((one) => one === rule || JSON.stringify(one) === JSON.stringify(rule)).length,
        1,
      )
  })

  it('let each controller do its part and no other', () => {
    const as = (name: string) => ({
      username: `system:serviceaccount:kube-system:${name}`,
      groups: ['system:authenticated'],
      extra: {},
    })
    const make = onResource({ verb: 'create', group: 'apps', resource: 'replicasets' })
    assert.equal(rights.decide(as('deployment-controller'), make).allowed, true)
    assert.equal(rights.decide(as('job-controller'), make).allowed, false)
    const update = onResource({ ...scale, verb: 'update' })
    assert.equal(rights.decide(as('horizontal-pod-autoscaler'), update).allowed, true)
    const names = controllerAccounts().map(({ metadata }) => metadata.name)
    assert.ok(names.includes('deployment-controller'))
  })

  it('let nodes write what they are, and nobody else', () => {
    const status = onResource({ verb: 'patch', resource: 'nodes', subresource: 'status' })
    const node = { username: 'system:node:a', groups: ['system:nodes'], extra: {} }
    assert.equal(rights.decide(node, status).allowed, true)
    assert.equal(rights.decide({ ...node, groups: [] }, status).allowed, false)
  })
})
