import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AgentBinding } from '@jackstay/judge/agent-rights'
import type { KubeObject } from '@jackstay/kube/resources'
import { moreThanReads, projectBinding, projectRole } from './caches.ts'

const home = 'jackstay-class-a'
const apiVersion = 'rbac.authorization.k8s.io/v1'

function binding(role: string, subject: object, namespace?: string, kind = 'ClusterRole') {
  const metadata = { name: 'b', ...(namespace !== undefined && { namespace }) }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: role }
  return { apiVersion, kind: 'Binding', metadata, roleRef, subjects: [subject] }
}
function role(name: string, verbs: string[], namespace?: string) {
  const metadata = { name, ...(namespace !== undefined && { namespace }) }
  return {
    apiVersion,
    kind: 'Role',
    metadata,
    rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
  }
}

/** As the caches would be that saw these objects. */
function said(
  objects: readonly KubeObject[],
  of = home,
  places: readonly string[] | 'anywhere' = [],
): string | undefined {
  const kept = <T>(
    project: (object: KubeObject) => T | undefined,
    isBinding: boolean,
    inNamespace: boolean,
  ) => {
    const found = new Map<string, T>()
    for (const object of objects) {
      const { name = '', namespace } = object.metadata
      if ('roleRef' in object !== isBinding || (namespace !== undefined) !== inNamespace) continue
      const view = project(object)
      if (view !== undefined) found.set(`${namespace}/${name}`, view)
    }
    return {
      get: (n: string | undefined, name: string) => found.get(`${n}/${name}`),
      values: () => found.values(),
    }
  }
  const bindings = (inNamespace: boolean) => kept<AgentBinding>(projectBinding, true, inNamespace)
  return moreThanReads(
    {
      bindings: bindings(true),
      clusterBindings: bindings(false),
      roles: kept(projectRole, false, true),
      clusterRoles: kept(projectRole, false, false),
    },
    of,
    places,
  )
}

const agent = { kind: 'ServiceAccount', namespace: home, name: 'agent' }
const everybody = { kind: 'Group', name: 'system:authenticated' }

describe('agents of a class do more than read (T85)', () => {
  it('by a binding that names them, anywhere, and not by those that every class has', () => {
    assert.match(said([binding('edit', agent, 'shop')]) ?? '', /RoleBinding shop\/b .*`edit`/)
    assert.match(said([binding('edit', agent)]) ?? '', /ClusterRoleBinding b /)
    assert.equal(said([binding('edit', agent)], 'jackstay-class-b'), undefined)
    assert.equal(said([binding('jackstay-read-logs', agent, 'shop')]), undefined)
    assert.equal(projectBinding(binding('jackstay-read-logs', agent, 'shop')), undefined)
  })

  it('by a read role that was filled with more', () => {
    assert.match(said([role('jackstay-read-logs', ['patch'])]) ?? '', /lets agents `patch pods`/)
    assert.equal(said([role('jackstay-read-logs', ['get', 'list'])]), undefined)
  })

  it('by what everybody may, as the role stands: in its own namespace, or for all', () => {
    const wide = binding('deploys', everybody, 'shop', 'Role')
    assert.equal(said([wide]), undefined, 'there is no such role')
    assert.equal(said([wide, role('deploys', ['create'], 'bank')]), undefined)
    assert.equal(said([wide, role('deploys', ['create'])]), undefined)
    const shop = [wide, role('deploys', ['create'], 'shop')]
    assert.equal(said(shop), undefined, 'no namespace stops a class')
    assert.equal(said(shop, home, ['bank']), undefined)
    assert.match(said(shop, home, ['bank', 'shop']) ?? '', /`create pods`/)
    assert.match(said(shop, home, 'anywhere') ?? '', /`create pods`/)
    const own = binding('deploys', everybody, home)
    assert.match(said([own, role('deploys', ['create'])]) ?? '', /`create pods`/)
    const all = binding('deploys', everybody)
    assert.match(said([all, role('deploys', ['create'])]) ?? '', /system:authenticated/)
    assert.equal(said([all, role('deploys', ['list'])]), undefined)
  })
})
