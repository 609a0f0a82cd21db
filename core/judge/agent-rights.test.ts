import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bindingObject, policyRule } from '@jackstay/contract/rbac'
import { agentBinding, beyondReading, excessOf } from './agent-rights.ts'

const home = 'jackstay-class-a'

function bound(subject: object, role: object = {}, namespace?: string) {
  const metadata = { name: 'b', ...(namespace !== undefined && { namespace }) }
  const roleRef = { kind: 'ClusterRole', name: 'edit', ...role }
  return agentBinding(bindingObject.parse({ metadata, roleRef, subjects: [subject] }))
}
const excess = (binding: ReturnType<typeof bound>, beyond?: string, of = home) =>
  binding && excessOf(binding, of, beyond)
const agent = { kind: 'ServiceAccount', namespace: home, name: 'agent' }

describe('a binding gives agents more than reads (T85)', () => {
  it('where it names one, all of them, or the name spelt as a user, with any other role', () => {
    for (const subject of [
      agent,
      { kind: 'User', name: `system:serviceaccount:${home}:agent` },
      { kind: 'Group', name: `system:serviceaccounts:${home}` },
    ]) {
      assert.match(excess(bound(subject)) ?? '', /ClusterRoleBinding b gives agents of .*`edit`/)
      const role = { kind: 'Role', name: 'jackstay-read-logs' }
      assert.match(excess(bound(subject, role, 'shop')) ?? '', /RoleBinding shop\/b .* the Role/)
      assert.equal(excess(bound(subject, { name: 'jackstay-read-logs' })), undefined)
      assert.equal(excess(bound(subject), undefined, 'jackstay-class-b'), undefined)
    }
  })

  it('where it lies in their namespace and leaves the namespace out', () => {
    assert.match(excess(bound({ kind: 'ServiceAccount', name: 'x' }, {}, home)) ?? '', /`edit`/)
    assert.equal(bound({ kind: 'ServiceAccount', name: 'x' }, {}, 'shop'), undefined)
  })

  it('where a read role was filled with more', () => {
    const binding = bound(agent, { name: 'jackstay-read-logs' })
    assert.match(
      excess(binding, 'create pods/exec') ?? '',
      /`create pods\/exec` by the ClusterRole/,
    )
  })

  it('where everybody gets more, and not where everybody only looks', () => {
    for (const [kind, name] of [
      ['Group', 'system:serviceaccounts'],
      ['Group', 'system:authenticated'],
      ['Group', 'system:unauthenticated'],
      ['User', 'system:anonymous'],
    ]) {
      const binding = bound({ kind, name })
      assert.equal(excess(binding), undefined)
      assert.match(excess(binding, 'create pods') ?? '', new RegExp(`${name}.*\`create pods\``))
    }
  })

  it('and concerns nobody else', () => {
    for (const subject of [
      { kind: 'User', name: 'oncall-1' },
      { kind: 'User', name: home },
      { kind: 'Group', name: 'system:serviceaccounts:not-jackstay-class-a' },
      { kind: 'Group', name: 'system:masters' },
      { kind: 'ServiceAccount', namespace: 'shop', name: 'default' },
    ]) {
      assert.equal(bound(subject), undefined)
    }
  })
})

describe('a role goes beyond reading', () => {
  const rule = (verbs: string[], resources: string[], rest: object = {}) =>
    beyondReading([policyRule.parse({ verbs, resources, apiGroups: [''], ...rest })])

  it('by any verb but get, list and watch', () => {
    for (const verb of ['create', 'patch', 'impersonate', 'bind', 'escalate', 'use', '*']) {
      assert.equal(rule(['get', verb], ['pods']), `${verb} pods`)
    }
    assert.equal(rule(['get', 'list', 'watch'], ['pods', 'pods/log', 'pods/status']), undefined)
  })

  it('by what is more than looking at, though the verb is get', () => {
    for (const one of ['secrets', 'pods/exec', 'nodes/proxy', 'services/proxy', '*', 'pods/*']) {
      assert.equal(rule(['get'], [one]), `get ${one}`)
    }
  })

  it('and not by asking about oneself, or for a path of the API server', () => {
    assert.equal(rule(['create'], ['selfsubjectaccessreviews', 'selfsubjectreviews']), undefined)
    assert.equal(rule(['create'], ['selfsubjectreviews', 'tokenreviews']), 'create tokenreviews')
    assert.equal(rule(['get', 'head'], [], { nonResourceURLs: ['/version'] }), undefined)
    for (const verb of ['put', '*']) {
      assert.equal(rule(['get', verb], [], { nonResourceURLs: ['/debug'] }), `${verb} /debug`)
    }
  })
})
