import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mayActAsExecutor, mayImpersonate } from './impersonation.ts'
import { type Rights, rightsOf } from './rights.ts'

const account = (name: string, namespace: string) => ({ kind: 'ServiceAccount', name, namespace })
const user = (name: string) => ({ kind: 'User', name })
const group = (name: string) => ({ kind: 'Group', name })
const tool = account('tool', 'tools')
const mediator = account('jackstay-mediator', 'jackstay-system')
const intent = 'userextras/jackstay.dev/intent'

interface Given {
  readonly to: object
  /** In whichever namespace; everywhere without it. */
  readonly in?: string
  readonly verbs?: string[]
  readonly apiGroups?: string[]
  readonly resources: string[]
  readonly resourceNames?: string[]
  /** By a Role of that namespace. */
  readonly local?: true
}

/** Each of them by a role and a binding of its own. */
function rights(...given: Given[]): Rights {
  const metadata = (one: Given, i: number, named = one.in !== undefined) => ({
    name: `r${i}`,
    ...(named && { namespace: one.in }),
  })
  const all = given.map((one, i) => {
    const { verbs = ['impersonate'], apiGroups = ['', 'authentication.k8s.io'] } = one
    const { resources, resourceNames } = one
    return {
      one,
      role: {
        metadata: metadata(one, i, one.local === true),
        rules: [{ verbs, apiGroups, resources, resourceNames }],
      },
      binding: {
        metadata: metadata(one, i),
        roleRef: { kind: one.local === true ? 'Role' : 'ClusterRole', name: `r${i}` },
        subjects: [one.to],
      },
    }
  })
  return rightsOf({
    rolebindings: all.filter(({ one }) => one.in !== undefined).map(({ binding }) => binding),
    clusterrolebindings: all.filter(({ one }) => one.in === undefined).map((b) => b.binding),
    roles: all.filter(({ one }) => one.local === true).map(({ role }) => role),
    clusterroles: all.filter(({ one }) => one.local !== true).map(({ role }) => role),
  })
}

const found = (...given: Given[]) =>
  mayActAsExecutor(rights(...given), ['sre']).map(({ severity, what }) => `${severity} ${what}`)
const becoming = (to: object, more: Partial<Given> = {}): Given => ({
  ...{ to, resources: ['serviceaccounts'] },
  ...more,
})
const naming = (to: object): Given => ({ to, resources: [intent] })

describe('who may write as an executor (T34, T85)', () => {
  const ways: [string, Partial<Given>][] = [
    ['a ClusterRole, everywhere', {}],
    ['a ClusterRole, in their namespace', { in: 'jackstay-executors' }],
    ['a Role of their namespace', { in: 'jackstay-executors', local: true }],
    ['the name of an executor', { resourceNames: ['sre'] }],
    ['every verb', { verbs: ['*'] }],
    ['every resource', { resources: ['*'] }],
  ]
  for (const [way, more] of ways) {
    it(`is wrong by ${way}, together with the extras`, () => {
      const [one, ...none] = mayActAsExecutor(rights(becoming(tool, more), naming(tool)), ['sre'])
      assert.deepEqual(none, [])
      assert.equal(one?.severity, 'wrong')
      assert.match(
        one?.what ?? '',
        /^ServiceAccount tools\/tool may write as an executor, .*r0 lets .*r[01] lets/,
      )
      const remove =
        more.in === undefined
          ? 'delete clusterrolebinding r0'
          : `-n ${more.in} delete rolebinding r0`
      assert.ok(one?.next.includes(`kubectl ${remove}`), one?.next)
    })
  }

  it('is wrong also by extras of whatever resource', () => {
    const any = { to: tool, resources: ['*/jackstay.dev/intent'] }
    assert.match(found(becoming(tool), any)[0] ?? '', /^wrong /)
  })

  it('is for you to know without the extras, for the API server takes no such write', () => {
    const [one, ...none] = found(becoming(tool))
    assert.match(one ?? '', /^note .* name no intent, .*: ServiceAccount tools\/tool \(r0\)$/)
    assert.deepEqual(none, [])
    // extras are cluster-scoped to RBAC
    assert.match(
      found(becoming(tool), { ...naming(tool), in: 'jackstay-executors' })[0] ?? '',
      /^note /,
    )
    assert.match(found(becoming(tool), naming(account('other', 'tools')))[0] ?? '', /^note /)
    assert.deepEqual(found(naming(tool)), [])
  })

  it('is nobody by other verbs, other namespaces or names of no executor', () => {
    for (const more of [
      { verbs: ['get', 'create'] },
      { in: 'shop' },
      { in: 'shop', local: true as const },
      { resourceNames: ['velero'] },
      { apiGroups: ['apps'] },
    ]) {
      assert.deepEqual(found(becoming(tool, more), naming(tool)), [], JSON.stringify(more))
    }
    const bound = { to: account('left', 'jackstay-executors'), resources: ['pods'], in: 'shop' }
    const left = becoming(tool, { resourceNames: ['left'] })
    assert.match(
      found(left, naming(tool), bound)[0] ?? '',
      /^wrong /,
      'bound, though its class is gone',
    )
  })

  it('is neither the mediator nor who may do everything, who is listed apart', () => {
    const own = becoming(mediator, { in: 'jackstay-executors', local: true })
    assert.deepEqual(found(own, naming(mediator)), [])
    const everything = { to: group('admins'), verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
    assert.deepEqual(found(everything), [])
    assert.match(mayImpersonate(rights(everything))[0]?.what ?? '', /Group admins/)
    const here = { ...everything, in: 'jackstay-executors' }
    assert.match(found(here)[0] ?? '', /^note /, 'an administrator of their namespace alone')
    assert.match(found(here, naming(group('admins')))[0] ?? '', /^wrong /)
  })

  it('is also whoever has one by name and the other by a group, as far as anybody can tell', () => {
    const together: [object, object, boolean][] = [
      [tool, group('system:serviceaccounts:tools'), true],
      [tool, group('system:serviceaccounts'), true],
      [group('system:authenticated'), tool, true],
      [user('system:serviceaccount:tools:tool'), tool, true],
      [user('jane'), group('oncall'), true],
      [group('oncall'), group('leads'), true],
      [tool, group('oncall'), false],
      [tool, group('system:serviceaccounts:shop'), false],
      [user('jane'), group('system:serviceaccounts'), false],
      [user('jane'), user('john'), false],
    ]
    for (const [a, b, may] of together) {
      const [one] = found(becoming(a), naming(b))
      assert.match(one ?? '', may ? /^wrong / : /^note /, JSON.stringify([a, b]))
    }
  })
})

describe('who may become a person', () => {
  const people: Given = { to: group('support'), resources: ['users'] }

  it('is said, not held against them', () => {
    const [one, ...none] = mayImpersonate(rights(people, becoming(tool)))
    assert.equal(one?.severity, 'note')
    assert.match(one?.what ?? '', /approve as one: Group support \(r0\)$/)
    assert.deepEqual(none, [])
    assert.deepEqual(mayImpersonate(rights({ ...people, in: 'shop' })), [])
  })

  it('and who may take on the group that may do everything', () => {
    const said = (more: Partial<Given>) =>
      mayImpersonate(rights({ to: tool, resources: ['groups'], ...more })).map(({ what }) => what)
    assert.match(said({})[0] ?? '', /system:masters: ServiceAccount tools\/tool/)
    assert.equal(said({ resourceNames: ['system:masters'] }).length, 1)
    assert.deepEqual(said({ resourceNames: ['developers'] }), [])
  })
})
