import { audiences } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { classNamespacePrefix } from '@jackstay/contract/kinds/agent-class'
import type { KubeClient } from '@jackstay/kube/client'
import { readJson } from '@jackstay/service/body'
import {
  bearerToken,
  type Callers,
  type PodCaller,
  type PodState,
  podIsLive,
  requirePod,
} from '@jackstay/service/caller'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { RateLimiter } from '@jackstay/service/rate'
import { createApp, requestSignal } from '@jackstay/service/server'
import type { Context } from 'hono'
import { getRequest, listRequest, readMany, readOne } from './read.ts'

export interface KubernetesReadParts {
  /** As kubernetes-read itself, which may impersonate agents. */
  readonly client: KubeClient
  readonly callers: Callers
  /** A consistent read of a Pod. */
  readonly pod: (
    namespace: string,
    name: string,
    signal: AbortSignal,
  ) => Promise<PodState | undefined>
  /** Per Pod. */
  readonly limiter: RateLimiter
  readonly log: Log
  readonly metrics: Metrics
}

const bodyLimits = { bytes: 8 * 1024, depth: 4, nodes: 64 }

/** `POST /v1/tools/get` and `/list`: what an agent may see, read with its own rights. */
export function kubernetesReadApp(parts: KubernetesReadParts) {
  const { client, log, metrics } = parts
  const app = createApp({
    name: 'jackstay-kubernetes-read',
    log,
    metrics,
    limits: { bodyBytes: bodyLimits.bytes, inFlight: 32 },
  })
  const reads = metrics.counter('jackstay_tool_reads_total', 'reads by verb and outcome', [
    'verb',
    'outcome',
  ])

  const counted = async <T>(verb: string, read: () => Promise<T>): Promise<T> => {
    try {
      const answer = await read()
      reads.inc({ verb, outcome: 'ok' })
      return answer
    } catch (error) {
      const outcome = error instanceof JackstayError ? error.code : 'internal'
      reads.inc({ verb, outcome })
      throw error
    }
  }

  app.post('/v1/tools/get', async (c) => {
    const answer = await counted('get', async () => {
      const agent = await identify(c, parts)
      return await readOne(
        client,
        agent,
        await readJson(c, getRequest, bodyLimits),
        requestSignal(c),
      )
    })
    return c.json(answer)
  })
  app.post('/v1/tools/list', async (c) => {
    const answer = await counted('list', async () => {
      const agent = await identify(c, parts)
      return await readMany(
        client,
        agent,
        await readJson(c, listRequest, bodyLimits),
        requestSignal(c),
      )
    })
    return c.json(answer)
  })
  return app
}

/** A live Pod of an agent, by its own token for tools. */
async function identify(c: Context, parts: KubernetesReadParts): Promise<PodCaller> {
  const signal = requestSignal(c)
  const caller = requirePod(await parts.callers.identify(bearerToken(c), audiences.tools, signal))
  const { namespace, pod } = caller
  // INVARIANT: nobody but agents is ever impersonated
  if (!namespace.startsWith(classNamespacePrefix)) {
    throw new JackstayError(
      'forbidden',
      `only agents in namespaces \`${classNamespacePrefix}*\` can read here`,
    )
  }
  parts.limiter.demand(pod.uid)
  // INVARIANT (T07): TokenReview is remembered for a minute and lags anyway; the Pod is read anew
  if (!podIsLive(await parts.pod(namespace, pod.name, signal), pod.uid)) {
    throw new JackstayError(
      'pod_not_live',
      `the Pod \`${namespace}/${pod.name}\` of this token is gone, ending or replaced`,
    )
  }
  return caller
}
