import type { KubeObject, User } from '../objects.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** One write as admission sees it: after defaults and validation, before it is stored. */
export interface AdmissionRequest {
  readonly operation: Operation
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string }
  /** Empty for none. */
  readonly subResource: string
  /** Empty for creations with a name to be made up, and for collections. */
  readonly name: string
  /** Empty for what belongs to no namespace. */
  readonly namespace: string
  readonly user: User
  readonly dryRun: boolean
  /** Such as a DeleteOptions, with its `kind`. */
  readonly options?: Readonly<Record<string, unknown>>
  /** What is to be stored; null for deletions. */
  readonly object: KubeObject | null
  /** What is stored; null for creations. */
  readonly oldObject: KubeObject | null
}

/** What is looked at besides the request. */
export interface Surroundings {
  namespace(name: string): KubeObject | undefined
  /** All objects of a kind; `undefined` where no such kind is served. */
  objects(
    apiVersion: string,
    kind: string,
  ): { readonly namespaced: boolean; readonly all: readonly KubeObject[] } | undefined
}

/** The variable `request` of expressions: what is empty is absent. */
export function requestVariable(request: AdmissionRequest): Readonly<Record<string, unknown>> {
  const { kind, resource, subResource, name, namespace, user, operation, dryRun, options } = request
  return {
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    ...(subResource !== '' && { subResource, requestSubResource: subResource }),
    ...(name !== '' && { name }),
    ...(namespace !== '' && { namespace }),
    operation,
    userInfo: {
      ...(user.username !== '' && { username: user.username }),
      ...(user.uid !== undefined && user.uid !== '' && { uid: user.uid }),
      ...(user.groups.length > 0 && { groups: user.groups }),
      ...(Object.keys(user.extra).length > 0 && { extra: user.extra }),
    },
    dryRun,
    ...(options !== undefined && { options }),
  }
}
