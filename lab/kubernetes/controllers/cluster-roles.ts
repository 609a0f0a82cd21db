import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '@jackstay/kube/resources'
import { aggregatedRules } from '../access/aggregation.ts'
import { type Controller, placeIn } from './controller.ts'

const clusterRoles = {
  ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', resource: 'clusterroles' },
}
/** Whatever role changes may be part of any other. */
const every = 'all/'

/** Keeps the rules of ClusterRoles that are put together of others. */
export const clusterRoleController: Controller<'roles'> = {
  name: 'clusterrole-aggregation-controller',
  inTurn: true,
  watches: { roles: { type: clusterRoles, keys: () => [every] } },
  async reconcile(key, { client, caches, signal, again }) {
    if (key === every) {
      for (const role of caches.roles.values()) {
        if (isRecord(role.aggregationRule)) again(role.metadata.name ?? '')
      }
      return undefined
    }
    const role = caches.roles.get(undefined, placeIn(key).name)
    const rules = role && aggregatedRules(role, [...caches.roles.values()])
    if (role === undefined || rules === undefined) return undefined
    if (isDeepStrictEqual(role.rules ?? [], rules)) return undefined
    const ref = { ...clusterRoles, name: role.metadata.name ?? '' }
    const done = await client.mergePatch(ref, { rules }, { signal })
    if (done.kind !== 'applied') throw new Error(`the rules of \`${key}\` were not taken`)
    return undefined
  },
}
