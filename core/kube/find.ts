import { JackstayError } from '@jackstay/contract/errors'
import type { CallOptions, KubeClient } from './client.ts'
import type { KubeObject, ResourceRef } from './resources.ts'

/**
 * The object, or undefined where there is none.
 * @throws JackstayError as `get` does, `not_found` excepted
 */
export async function find(
  client: KubeClient,
  ref: ResourceRef,
  options: CallOptions = {},
): Promise<KubeObject | undefined> {
  try {
    return await client.get(ref, options)
  } catch (error) {
    if (error instanceof JackstayError && error.code === 'not_found') return undefined
    throw error
  }
}
