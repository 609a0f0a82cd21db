import assert from 'node:assert/strict'
import type { ApiResponse, KubeClient } from '@jackstay/kube/client'
import { asObject, isRecord, type KubeObject } from '@jackstay/kube/resources'
import { customKinds } from '@jackstay/lab/kubernetes/crds/custom-kind'
import { attempt } from './attempt.ts'

/** What the lab makes of an object of a custom kind before it is stored, or why not. */
export interface Judged {
  readonly object: KubeObject
  /** Each as `field reason message`, in order of the alphabet. */
  readonly errors: readonly string[]
}

export type Judge = (object: unknown, before?: KubeObject) => Judged

/** The lab's judgement by the definition that the API server has. */
export async function judgeOf(client: KubeClient, crd: string): Promise<Judge> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd}`
  const { body } = await attempt(client, 'GET', path)
  const [kind] = customKinds(asObject(body))
  assert.ok(kind)
  const { withDefaults, validate, validateUpdate } = kind.resource.strategy
  return (raw, before) => {
    const object = withDefaults?.(asObject(raw)) ?? asObject(raw)
    const found = before ? validateUpdate?.(object, before) : validate?.(object)
    const errors = (found ?? []).map(({ field, reason, message }) => [field, reason, message])
    return { object, errors: errors.map((error) => error.join(' ')).toSorted() }
  }
}

/** The real API server says the same; a refusal by a policy comes after all that a definition says. */
export function sameVerdict(
  { object, errors }: Judged,
  { status, body }: Pick<ApiResponse, 'status' | 'body'>,
): void {
  assert.ok(isRecord(body))
  if (status < 300) {
    assert.deepEqual(errors, [])
    assert.deepEqual(object.spec, body.spec)
    return
  }
  const message = String(body.message)
  if (message.includes('ValidatingAdmissionPolicy')) assert.deepEqual(errors, [], message)
  else assert.deepEqual(errors, causesOf(body), message)
}

function causesOf({ details }: Readonly<Record<string, unknown>>): string[] {
  const causes: readonly unknown[] =
    isRecord(details) && Array.isArray(details.causes) ? details.causes : []
  return causes
    .filter(isRecord)
    .map(({ field, reason, message }) => `${field} ${reason} ${message}`)
    .toSorted()
}
