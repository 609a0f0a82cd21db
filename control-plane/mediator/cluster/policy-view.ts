import { type ActionPolicySpec, actionPolicy } from '@jackstay/contract/kinds/action-policy'
import { objectOf } from '@jackstay/contract/kinds/kind'
import { visible } from '@jackstay/contract/text'
import type { KubeObject } from '@jackstay/kube/resources'
import type { z } from 'zod'

/** An ActionPolicy as the caches keep it. */
export interface PolicyView {
  readonly name: string
  readonly generation: number
  readonly spec: ActionPolicySpec
  /** Why it cannot be read: until it is repaired, it denies everything. */
  readonly problem?: string
}

/** Never throws. A policy that does not read could be the one that says no, to whatever it was about. */
export function policyView(object: KubeObject): PolicyView {
  const { name = '', generation = 0 } = object.metadata
  const parsed = objectOf(actionPolicy).safeParse(object)
  if (parsed.success) return { name, generation, spec: parsed.data.spec }
  const problem = problemOf(parsed.error)
  const message = visible(`the policy cannot be read, so it denies everything: ${problem}`, 512)
  const rules = [{ name: 'unreadable', deny: { when: 'true', message } }]
  return { name, generation, problem, spec: { mode: 'enforce', actions: ['*'], rules } }
}

/** The first thing that is wrong with an object, in words. */
export function problemOf({ issues: [issue] }: z.ZodError): string {
  return `\`${issue?.path.join('.') || 'the object'}\`: ${issue?.message ?? 'it does not read'}`
}
