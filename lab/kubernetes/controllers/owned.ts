import type { WatchCache } from '@jackstay/kube/cache'
import type { KubeObject } from '../objects.ts'

/** The key of the object that controls this one, where it is of `kind`. */
export function controllerKey(kind: string, object: KubeObject): readonly string[] {
  const { namespace = '', ownerReferences = [] } = object.metadata
  const owner = ownerReferences.find((one) => one.controller === true && one.kind === kind)
  return owner === undefined ? [] : [`${namespace}/${owner.name}`]
}

/** What `owner` controls by now. */
export function controlledBy(
  owner: KubeObject,
  cache: WatchCache<KubeObject>,
): readonly KubeObject[] {
  const { uid, namespace } = owner.metadata
  return [...cache.values()].filter(
    ({ metadata }) =>
      metadata.namespace === namespace &&
      (metadata.ownerReferences ?? []).some((one) => one.controller === true && one.uid === uid),
  )
}

/** The entry in `metadata.ownerReferences` of what `owner` makes. */
export function referenceTo({ apiVersion = '', kind = '', metadata }: KubeObject) {
  const { name = '', uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}
