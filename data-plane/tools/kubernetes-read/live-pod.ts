import type { KubeClient } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import type { PodState } from '@jackstay/service/caller'
import { z } from 'zod'

const pod = z.object({
  metadata: z.object({ uid: z.string(), deletionTimestamp: z.string().optional() }),
  status: z.object({ phase: z.string().default('') }).prefault({}),
})

/** The Pod as the API server has it now, or undefined. */
export async function readPod(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<PodState | undefined> {
  const ref = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', namespace, name }
  const object = await find(client, ref, { signal })
  if (object === undefined) return undefined
  const { metadata, status } = pod.parse(object)
  return { ...metadata, phase: status.phase }
}
