import { JackstayError } from '@jackstay/contract/errors'
import type { KubeClient } from './client.ts'

/**
 * The cluster's UID: the uid of the namespace `kube-system`, which lives as long as the cluster.
 * @throws JackstayError as `get` does, `upstream_unavailable` when the namespace has no uid
 */
export async function clusterUid(client: KubeClient, signal?: AbortSignal): Promise<string> {
  const object = await client.get(
    { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces', name: 'kube-system' },
    signal === undefined ? {} : { signal },
  )
  const { uid } = object.metadata
  if (!uid)
    throw new JackstayError(
      'upstream_unavailable',
      'the namespace `kube-system` has no uid; check the server address',
    )
  return uid
}
