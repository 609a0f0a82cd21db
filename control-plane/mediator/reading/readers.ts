import { audiences } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { bearerToken, type Callers, podIsLive, requirePod } from '@jackstay/service/caller'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Sightings } from '../people/sightings.ts'
import type { ClassView, ClusterView } from '../ports.ts'
import { audiencesIn, identifyCaller } from './caller.ts'

/** Who may read every intent: the ServiceAccount for which people make short tokens. */
const readerAccount = 'system:serviceaccount:jackstay-system:jackstay-reader'

export interface AgentReader {
  readonly kind: 'agent'
  readonly agent: string
  readonly podUid: string
  readonly class: ClassView
}

/** Whoever asks: a person with a reading token, or an agent about its own. */
export type Reader = { readonly kind: 'person' } | AgentReader

export interface ReaderPorts {
  readonly callers: Callers
  readonly cluster: ClusterView
  readonly sightings: Sightings
}

/** @throws JackstayError `unauthenticated`, `wrong_audience`, `forbidden`, `pod_not_live` */
export async function identifyReader(c: Context, ports: ReaderPorts): Promise<Reader> {
  const token = bearerToken(c)
  const identify = (audience: string) => identifyCaller(c, ports.callers, token, audience)
  if (audiencesIn(token).includes(audiences.read)) {
    const caller = await identify(audiences.read)
    if (caller.username === readerAccount) return { kind: 'person' }
    throw new JackstayError('forbidden', `make a token for \`${readerAccount}\``)
  }
  const { namespace, name, pod } = requirePod(await identify(audiences.intent))
  if (!podIsLive(ports.cluster.pod(namespace, pod.name), pod.uid)) {
    throw new JackstayError('pod_not_live', `the Pod \`${pod.name}\` is gone, ending or replaced`)
  }
  ports.sightings.saw(pod.uid)
  const found = ports.cluster.classes().find((one) => one.spec.namespace === namespace)
  if (found === undefined) {
    throw new JackstayError('forbidden', `no agent class lives in the namespace \`${namespace}\``)
  }
  return { kind: 'agent', agent: `${namespace}/${name}`, podUid: pod.uid, class: found }
}

/** The query parameters of a request. @throws JackstayError `invalid_request` */
export function query<S extends z.ZodType>(c: Context, schema: S): z.output<S> {
  const parsed = schema.safeParse(c.req.query())
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = issue?.path.join('.') || 'query'
  throw new JackstayError('invalid_request', `\`${name}\`: ${issue?.message ?? 'invalid'}`)
}
