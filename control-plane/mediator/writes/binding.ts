import type { Observed } from '@jackstay/actions/action'

/** Who an object is right now. */
export function bindingOf(object: Observed): { uid: string; resourceVersion: string } | undefined {
  const { metadata } = object
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata)) return undefined
  const { uid, resourceVersion } = metadata as { readonly [key: string]: unknown }
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined
  return uid !== '' && resourceVersion !== '' ? { uid, resourceVersion } : undefined
}
