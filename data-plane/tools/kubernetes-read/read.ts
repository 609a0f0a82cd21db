import { JackstayError } from '@jackstay/contract/errors'
import { canonical, type Digest, type Json, sha256 } from '@jackstay/contract/json'
import { apiVersion, dnsLabel, dnsName, kindName } from '@jackstay/contract/text'
import type { KubeClient, KubeList } from '@jackstay/kube/client'
import { statusOf } from '@jackstay/kube/client'
import { collectionPath, objectPath } from '@jackstay/kube/resources'
import { z } from 'zod'
import { type Readable, readableKind } from './readable.ts'
import { strip } from './strip.ts'

export const getRequest = z.strictObject({
  apiVersion,
  kind: kindName,
  namespace: dnsLabel,
  name: dnsName,
  /** Everything is shown either way. */
  full: z.boolean().optional(),
})
export const listRequest = z.strictObject({
  apiVersion,
  kind: kindName,
  namespace: dnsLabel,
  labelSelector: z.string().min(1).max(1024).optional(),
  limit: z.int().min(1).max(100).default(50),
  continue: z.string().min(1).max(4096).optional(),
  full: z.boolean().optional(),
})

/** Where something was read and what it said, as an intent's reasoning cites it. */
export interface Evidence {
  readonly uri: string
  readonly digest: Digest
}

export interface GetAnswer {
  readonly object: Json
  readonly evidence: Evidence
}

export interface ListAnswer {
  readonly items: readonly Json[]
  /** Pass it to the next `list`; absent on the last page. */
  readonly continue?: string
  readonly evidence: Evidence
}

/** Whom the API server is asked as. */
export interface Agent {
  readonly namespace: string
  readonly name: string
}

const maxAnswerBytes = 256 * 1024

/**
 * Reads one object with the agent's own rights.
 * @throws JackstayError `forbidden`, `not_found`, `too_large`, `upstream_unavailable`
 */
export async function readOne(
  client: KubeClient,
  agent: Agent,
  { apiVersion, kind, namespace, name }: z.output<typeof getRequest>,
  signal: AbortSignal,
): Promise<GetAnswer> {
  const row = readableKind(apiVersion, kind)
  const ref = { ...row, namespace, name }
  const call = asAgent(client, agent).get(ref, { signal })
  const object = strip(await answered(call, 'get', row, agent, namespace))
  const text = canonical(object)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxAnswerBytes) {
    throw new JackstayError(
      'too_large',
      `${kind} \`${namespace}/${name}\` has ${bytes} bytes, more than the ${maxAnswerBytes} an agent can read; ask a person to look`,
    )
  }
  return { object, evidence: { uri: `k8s:${objectPath(ref)}`, digest: sha256(text) } }
}

/**
 * Reads one page of one kind in one namespace with the agent's own rights.
 * @throws JackstayError as {@link readOne}, `invalid_request`
 */
export async function readMany(
  client: KubeClient,
  agent: Agent,
  request: z.output<typeof listRequest>,
  signal: AbortSignal,
): Promise<ListAnswer> {
  const { apiVersion, kind, namespace, labelSelector, limit } = request
  const row = readableKind(apiVersion, kind)
  const call = asAgent(client, agent).list(row, {
    namespace,
    limit,
    signal,
    ...(labelSelector && { labelSelector }),
    ...(request.continue && { continue: request.continue }),
  })
  const list: KubeList = await answered(call, 'list', row, agent, namespace)
  const texts = list.items.slice(0, limit).map((item) => canonical(strip(item)))
  const fit = fitting(texts)
  if (fit < texts.length) {
    const advice =
      fit > 0 ? `ask for \`limit\` ${fit} or narrow \`labelSelector\`` : 'get them one by one'
    throw new JackstayError(
      'too_large',
      `${texts.length} ${row.resource} of \`${namespace}\` exceed ${maxAnswerBytes} bytes; ${advice}`,
    )
  }
  const query = new URLSearchParams({ ...(labelSelector && { labelSelector }), limit: `${limit}` })
  const items: readonly Json[] = texts.map((text) => JSON.parse(text))
  return {
    items,
    ...(list.continue && { continue: list.continue }),
    evidence: {
      uri: `k8s:${collectionPath(row, namespace)}?${query}`,
      digest: sha256(canonical(items)),
    },
  }
}

/**
 * INVARIANT: exactly the caller's ServiceAccount. No groups are given: the API server then adds the
 * three of a ServiceAccount itself, and no right to impersonate groups is needed.
 */
function asAgent(client: KubeClient, { namespace, name }: Agent): KubeClient {
  return client.as({ username: `system:serviceaccount:${namespace}:${name}` })
}

/** How many of the first texts fit into one answer. */
function fitting(texts: readonly string[]): number {
  let bytes = 0
  const over = texts.findIndex((text) => {
    bytes += Buffer.byteLength(text) + 1
    return bytes > maxAnswerBytes
  })
  return over === -1 ? texts.length : over
}

async function answered<T>(
  call: Promise<T>,
  verb: string,
  row: Readable,
  agent: Agent,
  namespace: string,
): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw explained(error, verb, row, agent, namespace)
  }
}

function explained(
  error: unknown,
  verb: string,
  { kind, resource, role }: Readable,
  agent: Agent,
  namespace: string,
): unknown {
  const status = statusOf(error)
  const who = `${agent.namespace}/${agent.name}`
  if (status?.code === 403 && /cannot impersonate/.test(status.message)) {
    return new JackstayError(
      'cluster_refused',
      `kubernetes-read may not read as \`${who}\`; give it the verb \`impersonate\` on that ServiceAccount`,
      { cause: error },
    )
  }
  if (status?.code === 403) {
    return new JackstayError(
      'forbidden',
      `\`${who}\` may not ${verb} ${resource} in \`${namespace}\`; a RoleBinding there to the ClusterRole \`${role}\` would let it`,
      { cause: error },
    )
  }
  if (status?.code === 404) {
    return new JackstayError('not_found', `there is no such ${kind} in \`${namespace}\``, {
      cause: error,
    })
  }
  if (status?.code === 400 || status?.code === 410) {
    return new JackstayError(
      'invalid_request',
      'the API server does not accept `labelSelector` or `continue`; correct the selector, or list from the start',
      { cause: error },
    )
  }
  return error
}
