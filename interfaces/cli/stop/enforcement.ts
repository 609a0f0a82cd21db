import { type KubeClient, statusOf } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import { type Line, styled } from '../screen.ts'
import type { Scope } from './scope.ts'

/** Whether the API server refuses what a stop names; `unknown` where the user may not look. */
export interface Enforcement {
  readonly policy: string
  readonly state: 'bound' | 'missing' | 'unknown'
  readonly why: string
}

const admission = 'admissionregistration.k8s.io/v1'

/**
 * Nobody but an executor could show that executors are refused, and no person may be one. So this
 * reads what refuses them: the policy, failing closed, bound with Deny.
 */
export async function enforcementOf(
  { by }: Scope,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Enforcement> {
  const policy = by === 'label' ? 'jackstay-suspended-by-label' : 'jackstay-suspended-by-kind'
  const of = (resource: string) =>
    client.get({ apiVersion: admission, resource, name: policy }, { signal })
  try {
    const [found, binding] = await Promise.all([
      of('validatingadmissionpolicies'),
      of('validatingadmissionpolicybindings'),
    ])
    const closed = isRecord(found.spec) && found.spec.failurePolicy === 'Fail'
    const actions: unknown = isRecord(binding.spec) ? binding.spec.validationActions : undefined
    const denies = Array.isArray(actions) && actions.includes('Deny')
    if (closed && denies) return { policy, state: 'bound', why: 'fails closed, bound with Deny' }
    return { policy, state: 'missing', why: 'is there and does not deny' }
  } catch (error) {
    const status = statusOf(error)
    if (status?.code === 404) return { policy, state: 'missing', why: 'is not there or not bound' }
    const why = status?.code === 403 ? 'you may not read it' : 'it could not be read'
    return { policy, state: 'unknown', why }
  }
}

export function enforcementLine({ policy, state, why }: Enforcement): Line {
  switch (state) {
    case 'bound':
      return [styled('green', 'enforced'), ` by the API server itself: ${policy} ${why}`]
    case 'missing':
      return [
        styled('red', 'not enforced'),
        `: the policy ${policy} ${why}; apply charts/jackstay/policies again`,
      ]
    case 'unknown':
      return [styled('yellow', 'enforcement not checked'), `: the policy ${policy}: ${why}`]
  }
}
