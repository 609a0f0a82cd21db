import { JackstayError } from '@jackstay/contract/errors'
import { podLogs, readableKinds } from '@jackstay/contract/readable'
import type { KubeClient } from '@jackstay/kube/client'
import { z } from 'zod'

const review = z.object({
  status: z.object({
    resourceRules: z.array(
      z.object({
        verbs: z.array(z.string()),
        apiGroups: z.array(z.string()).default([]),
        resources: z.array(z.string()).default([]),
      }),
    ),
  }),
})

const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'

/** What somebody who may see a namespace at all can read there. */
const visible = [
  ...readableKinds
    .filter(({ scope }) => scope === 'namespaced')
    .map(({ apiVersion, resource }) => ({ group: groupOf(apiVersion), resource })),
  { group: '', resource: podLogs.resource },
]

/**
 * Whether whoever this client is may read anything of ours in this namespace. No answer means no.
 * @throws JackstayError `upstream_unavailable`
 */
export async function hasRightsIn(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await client
    .request({
      method: 'POST',
      path,
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectRulesReview',
        spec: { namespace },
      },
      signal,
      timeoutMs: 5_000,
    })
    .catch((cause: unknown) => {
      // a review changes nothing, so an answer that was lost is no doubt about an outcome
      const text = 'the API server did not say what this agent may read; try again'
      throw new JackstayError('upstream_unavailable', text, { cause })
    })
  const parsed = review.safeParse(answer.body)
  if (answer.status >= 300 || !parsed.success) return false
  const covers = (list: readonly string[], one: string) => list.includes(one) || list.includes('*')
  return parsed.data.status.resourceRules.some(
    ({ verbs, apiGroups, resources }) =>
      (covers(verbs, 'get') || covers(verbs, 'list')) &&
      visible.some(
        ({ group, resource }) => covers(apiGroups, group) && covers(resources, resource),
      ),
  )
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}
