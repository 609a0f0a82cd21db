import type { KubeClient } from '@jackstay/kube/client'
import { isRecord } from '@jackstay/kube/resources'
import type { Person } from './approval.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandFailed } from './failure.ts'

/** The API server's own word on who the user is, because it will check against it what the user writes. */
export async function whoAmI(
  client: KubeClient,
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<Person> {
  const { status, body } = await client.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  const user = isRecord(body) && isRecord(body.status) ? body.status.userInfo : undefined
  if (status >= 300 || !isRecord(user) || typeof user.username !== 'string') {
    throw new CommandFailed(
      exitCodes.unreachable,
      'unauthenticated',
      `the API server does not say who you are (${status}); renew your credentials`,
    )
  }
  const groups: readonly unknown[] = Array.isArray(user.groups) ? user.groups : []
  return { username: user.username, groups: groups.filter((group) => typeof group === 'string') }
}
