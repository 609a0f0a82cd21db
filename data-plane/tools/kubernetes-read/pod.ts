import { JackstayError } from '@jackstay/contract/errors'
import type { KubeClient } from '@jackstay/kube/client'
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
  try {
    const ref = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', namespace, name }
    const { metadata, status } = pod.parse(await client.get(ref, { signal }))
    return { ...metadata, phase: status.phase }
  } catch (error) {
    if (error instanceof JackstayError && error.code === 'not_found') return undefined
    throw error
  }
}
