import { selects } from '@jackstay/contract/label-selector'
import type { KubeObject } from '../objects.ts'
import type { BindingObject, PolicyObject } from './policy-schema.ts'
import type { AdmissionRequest, Surroundings } from './request.ts'

/** The parameters that a policy is to be judged with, one after the other; null for a policy of none. */
export type Params =
  | { readonly params: readonly (KubeObject | null)[] }
  | { readonly misconfigured: string }

export function paramsOf(
  policy: PolicyObject,
  binding: BindingObject,
  request: AdmissionRequest,
  surroundings: Surroundings,
): Params {
  const { paramKind } = policy.spec
  const { paramRef } = binding.spec
  if (paramKind === undefined) return { params: [null] }
  const { apiVersion, kind } = paramKind
  const found = surroundings.objects(apiVersion, kind)
  if (found === undefined) {
    const reference = `${apiVersion}, Kind=${kind}`
    return {
      misconfigured: `failed to configure policy: failed to find resource referenced by paramKind: '${reference}'`,
    }
  }
  if (paramRef === undefined) return { params: [null] }
  const namespace = namespaceOf(found.namespaced, paramRef.namespace, request.namespace)
  if ('misconfigured' in namespace) return namespace
  const { name, selector, parameterNotFoundAction } = paramRef
  const params = found.all.filter(
    ({ metadata }) =>
      (metadata.namespace ?? '') === namespace.name &&
      (name === undefined || name === ''
        ? selector === undefined || selects(selector, metadata.labels ?? {})
        : metadata.name === name),
  )
  if (params.length === 0 && parameterNotFoundAction === 'Deny') {
    return {
      misconfigured:
        'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    }
  }
  return { params }
}

function namespaceOf(
  namespaced: boolean,
  written = '',
  requested: string,
): { readonly name: string } | { readonly misconfigured: string } {
  if (!namespaced) {
    return written === ''
      ? { name: '' }
      : {
          misconfigured:
            'failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
        }
  }
  const name = written === '' ? requested : written
  return name === ''
    ? {
        misconfigured:
          'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
      }
    : { name }
}
