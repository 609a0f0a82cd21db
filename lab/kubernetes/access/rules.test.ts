import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PolicyRule, policyRule } from '@jackstay/contract/rbac'
import fc from 'fast-check'
import { onResource } from './attributes.ts'
import { compact, grants, missing, ruleText } from './rules.ts'

const rule = (fields: Partial<PolicyRule>) => policyRule.parse({ verbs: ['get'], ...fields })
const pods = { apiGroups: [''], resources: ['pods'] }

const words = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 })
const anyRule = fc.record({
  verbs: words('get', 'list', '*'),
  apiGroups: words('', 'apps', '*'),
  resources: words('pods', 'pods/log', '*/log', '*'),
  resourceNames: fc.subarray(['a', 'b']),
  nonResourceURLs: fc.subarray<string>([]),
})
const anyRequest = fc
  .record({
    verb: fc.constantFrom('get', 'list', 'delete'),
    group: fc.constantFrom('', 'apps', 'batch'),
    resource: fc.constantFrom('pods', 'jobs'),
    subresource: fc.constantFrom('', 'log', 'exec'),
    name: fc.constantFrom('', 'a', 'c'),
  })
  .map(onResource)

describe('rules', () => {
  it('name a subresource apart from its resource', () => {
    const log = onResource({ verb: 'get', resource: 'pods', subresource: 'log' })
    assert.equal(grants(rule(pods), log), false)
    assert.equal(grants(rule({ ...pods, resources: ['*/log'] }), log), true)
    assert.equal(grants(rule({ ...pods, resources: ['*/status'] }), log), false)
    assert.equal(
      grants(rule({ ...pods, resources: ['*/log'] }), { ...log, subresource: '' }),
      false,
    )
  })

  it('for names say nothing about requests without one', () => {
    const named = rule({ ...pods, resourceNames: ['a'] })
    assert.equal(grants(named, onResource({ verb: 'get', resource: 'pods', name: 'a' })), true)
    assert.equal(grants(named, onResource({ verb: 'get', resource: 'pods' })), false)
  })

  it('for paths say nothing about resources', () => {
    const paths = rule({ nonResourceURLs: ['*'] })
    assert.equal(grants(paths, { verb: 'get', path: '/x' }), true)
    assert.equal(grants(paths, onResource({ verb: 'get', resource: 'pods' })), false)
    assert.equal(grants(rule({ nonResourceURLs: ['/a/*'] }), { verb: 'get', path: '/ab' }), false)
  })

  it('cover others only where they grant all that those do', () => {
    fc.assert(
      fc.property(fc.array(anyRule), anyRule, anyRequest, (held, wanted, asked) => {
        fc.pre(missing(held, [wanted]).length === 0 && grants(wanted, asked))
        assert.ok(held.some((one) => grants(one, asked)))
      }),
      { numRuns: 300 },
    )
  })

  it('are named once per resource and name in a refusal', () => {
    const wanted = [rule({ ...pods, verbs: ['get', 'list'] }), rule({ nonResourceURLs: ['/x'] })]
    assert.deepEqual(compact(missing([], wanted)).map(ruleText), [
      '{NonResourceURLs:["/x"], Verbs:["get"]}',
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
    ])
  })
})
