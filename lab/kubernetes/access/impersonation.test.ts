import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { User } from '../objects.ts'
import { isStatus } from '../status.ts'
import { onResource } from './attributes.ts'
import { type Headers, impersonate } from './impersonation.ts'
import { listerOf } from './lister-builder.ts'
import { rbac } from './rbac.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const mediator: User = { username: 'mediator', groups: ['system:authenticated'], extra: {} }
const asked = onResource({
  verb: 'patch',
  group: 'apps',
  resource: 'deployments',
  namespace: 'shop',
})
const intent = 'impersonate-extra-jackstay.dev%2fintent'

/** What comes of it for somebody with these verbs on these resources. */
function by(
  resources: readonly string[],
  headers: Headers,
  verbs: readonly string[] = ['impersonate'],
): User | string {
  const rules = [{ verbs, apiGroups: ['*'], resources }]
  const roleRef = { kind: 'ClusterRole', name: 'r' }
  const rights = rbac(
    listerOf(
      { apiVersion, kind: 'ClusterRole', metadata: { name: 'r' }, rules },
      {
        ...{ apiVersion, kind: 'ClusterRoleBinding', metadata: { name: 'b' }, roleRef },
        subjects: [{ kind: 'User', name: 'mediator' }],
      },
    ),
  )
  const who = impersonate(rights, mediator, headers, asked)
  return isStatus(who) ? `${who.code} ${who.message}` : who
}

describe('impersonation', () => {
  const executor = { 'impersonate-user': ['system:serviceaccount:executors:e'] }

  it('without headers changes nobody', () => {
    assert.equal(by([], { accept: ['x'] }), mediator)
  })

  it('of an executor with an extra needs both rights, and gives the groups of its namespace', () => {
    const headers = { ...executor, [intent]: ['i-1'] }
    assert.deepEqual(by(['serviceaccounts', 'userextras/jackstay.dev/intent'], headers), {
      username: 'system:serviceaccount:executors:e',
      groups: [
        'system:serviceaccounts',
        'system:serviceaccounts:executors',
        'system:authenticated',
      ],
      extra: { 'jackstay.dev/intent': ['i-1'] },
    })
    assert.match(
      String(by(['serviceaccounts'], headers)),
      /^403 .*userextras\/jackstay.dev\/intent/,
    )
    assert.match(
      String(by(['userextras/*'], headers)),
      /^403 .*impersonate resource "serviceaccounts"/,
    )
  })

  it('takes keys that are written in several ways as one, each value checked', () => {
    const headers = {
      ...executor,
      'impersonate-extra-a%2Fb': ['1'],
      'impersonate-extra-a%2fb': ['2'],
    }
    const who = by(['serviceaccounts', 'userextras'], headers)
    assert.match(String(who), /userextras\/a\/b/)
    const allowed = by(['*'], headers)
    assert.deepEqual(typeof allowed === 'object' && allowed.extra, { 'a/b': ['1', '2'] })
    const broken = by(['*'], { ...executor, 'impersonate-extra-%zz': ['1'] })
    assert.deepEqual(typeof broken === 'object' && broken.extra, { '%zz': ['1'] })
  })

  it('of parts without a user is a mistake', () => {
    assert.match(
      String(by(['*'], { 'impersonate-uid': ['1'] })),
      /^400 requested &user.DefaultInfo/,
    )
  })

  it('of the privileged is possible only by the unconstrained way', () => {
    const headers = { 'impersonate-user': ['a'], 'impersonate-group': ['system:masters'] }
    assert.match(String(by(['users'], headers)), /^403/)
    const constrained = ['impersonate-on:user-info:patch', 'impersonate:user-info']
    assert.match(String(by(['*'], headers, constrained)), /system:masters group is not allowed/)
    const who = by(['users', 'groups'], headers)
    assert.deepEqual(typeof who === 'object' && who.groups, [
      'system:masters',
      'system:authenticated',
    ])
  })
})
