import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '../objects.ts'
import { onResource } from './attributes.ts'
import { bindingEscalation, roleEscalation } from './escalation.ts'
import { listerOf, storedObject } from './lister-builder.ts'
import { rbac } from './rbac.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const anna = { username: 'anna', groups: ['system:authenticated'], extra: {} }
const getPods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const asked = onResource({ verb: 'get', resource: 'pods', namespace: 'shop' })

function role(name: string, rules: readonly object[], namespace?: string): KubeObject {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role'
  return { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) }, rules }
}

function bound(roleRef: object, subject: object, namespace?: string): KubeObject {
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'
  const metadata = { name: 'b', ...(namespace && { namespace }) }
  return { apiVersion, kind, metadata, roleRef, subjects: [subject] }
}

const reader = { kind: 'ClusterRole', name: 'reader' }
const toAnna = { kind: 'User', name: 'anna' }

describe('rights in the lab', () => {
  it('are what a binding grants where it stands', () => {
    const rights = rbac(listerOf(role('reader', [getPods]), bound(reader, toAnna, 'shop')))
    assert.equal(rights.decide(anna, asked).allowed, true)
    assert.equal(rights.decide(anna, { ...asked, namespace: 'till' }).allowed, false)
    assert.equal(rights.decide(anna, { ...asked, namespace: '' }).allowed, false)
  })

  it('of a service account without namespace are those of the binding', () => {
    const account = { kind: 'ServiceAccount', name: 'sa' }
    const sa = { ...anna, username: 'system:serviceaccount:shop:sa' }
    const local = rbac(listerOf(role('reader', [getPods]), bound(reader, account, 'shop')))
    const wide = rbac(listerOf(role('reader', [getPods]), bound(reader, account)))
    assert.equal(local.decide(sa, asked).allowed, true)
    assert.equal(wide.decide(sa, asked).allowed, false)
  })

  it('are judged by the objects of the moment', () => {
    const binding = storedObject(bound(reader, toAnna))
    let rules = [getPods]
    const rights = rbac({
      get: () => storedObject(role('reader', rules)),
      list: () => [binding],
    })
    assert.equal(rights.decide(anna, asked).allowed, true)
    rules = []
    assert.equal(rights.decide(anna, asked).allowed, false)
  })

  it('are all with `system:masters`, also of giving them', () => {
    const master = { ...anna, groups: ['system:masters'] }
    const rights = rbac(listerOf())
    const object = role('any', [getPods], 'shop')
    const write = { user: master, namespace: 'shop', name: '', object }
    assert.equal(rights.refusal(master, asked), undefined)
    assert.equal(roleEscalation(rights, write), undefined)
    assert.match(String(roleEscalation(rights, { ...write, user: anna })?.message), /not currently/)
  })

  it('to more cannot be bound, but may be taken from the collector', () => {
    const rights = rbac(listerOf(role('reader', [getPods])))
    const object = bound(reader, toAnna, 'shop')
    const write = { user: anna, namespace: 'shop', name: 'b', object }
    assert.equal(bindingEscalation(rights, write)?.code, 403)
    const before = { ...object, metadata: { ...object.metadata, finalizers: ['a/b'] } }
    assert.equal(bindingEscalation(rights, { ...write, before }), undefined)
    const other = { ...before, subjects: [] }
    assert.equal(bindingEscalation(rights, { ...write, before: other })?.code, 403)
  })
})
