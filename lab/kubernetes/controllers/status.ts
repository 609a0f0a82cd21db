import { isDeepStrictEqual } from 'node:util'
import type { KubeClient } from '@jackstay/kube/client'
import type { ResourceType } from '@jackstay/kube/resources'
import { withoutUndefined } from '../api/prepare.ts'
import type { KubeObject } from '../objects.ts'

interface Writing {
  readonly client: KubeClient
  readonly signal: AbortSignal
}

/** Puts a status where it differs from the one that is there. @throws where it is not taken */
export async function statusWritten(
  { client, signal }: Writing,
  { apiVersion, resource }: ResourceType,
  object: KubeObject,
  status: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (isDeepStrictEqual(withoutUndefined(object.status ?? {}), withoutUndefined(status))) return
  const { namespace, name = '' } = object.metadata
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const within = namespace === undefined ? '' : `/namespaces/${namespace}`
  const path = `${root}${within}/${resource}/${name}/status`
  const body = { ...object, status }
  const put = await client.request({ method: 'PUT', path, body, signal })
  if (put.status >= 300) {
    throw new Error(`the status of ${resource} \`${name}\` was not taken: ${put.status}`)
  }
}
