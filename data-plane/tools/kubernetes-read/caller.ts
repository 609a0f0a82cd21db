import { audiences } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { classNamespacePrefix } from '@jackstay/contract/kinds/agent-class'
import {
  bearerToken,
  type Callers,
  type PodCaller,
  type PodState,
  podIsLive,
  requirePod,
} from '@jackstay/service/caller'
import { requestSignal } from '@jackstay/service/server'
import type { Context } from 'hono'

export interface CallerParts {
  readonly callers: Callers
  /** A consistent read of a Pod. */
  readonly pod: (
    namespace: string,
    name: string,
    signal: AbortSignal,
  ) => Promise<PodState | undefined>
}

/** A live Pod of an agent, by its own token for tools. */
export async function identify(c: Context, parts: CallerParts): Promise<PodCaller> {
  const signal = requestSignal(c)
  const caller = requirePod(await parts.callers.identify(bearerToken(c), audiences.tools, signal))
  const { namespace } = caller
  // INVARIANT: nobody but agents is ever impersonated
  if (!namespace.startsWith(classNamespacePrefix)) {
    throw new JackstayError(
      'forbidden',
      `only agents in namespaces \`${classNamespacePrefix}*\` can read here`,
    )
  }
  return caller
}

/** INVARIANT (T07): TokenReview is remembered for a minute and lags anyway; the Pod is read anew. */
export async function requireLive(
  { namespace, pod }: PodCaller,
  parts: CallerParts,
  signal: AbortSignal,
): Promise<void> {
  if (podIsLive(await parts.pod(namespace, pod.name, signal), pod.uid)) return
  throw new JackstayError(
    'pod_not_live',
    `the Pod \`${namespace}/${pod.name}\` of this token is gone, ending or replaced`,
  )
}
