import { JackstayError } from '@jackstay/contract/errors'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { agentKey, agentKeyStatus } from '@jackstay/contract/kinds/agent-key'
import { groupVersion, objectOf } from '@jackstay/contract/kinds/kind'
import type { KubeClient, WriteResult } from '@jackstay/kube/client'
import { find } from '@jackstay/kube/find'
import type { KubeObject } from '@jackstay/kube/resources'
import { z } from 'zod'
import type { KeyStore, NewKey, PodView, Revocation, StoredKey } from './enrol.ts'

const pods = { apiVersion: 'v1', kind: 'Pod', resource: 'pods' }
const classes = { apiVersion: groupVersion, kind: agentClass.kind, resource: agentClass.plural }
const keys = { apiVersion: groupVersion, kind: agentKey.kind, resource: agentKey.plural }

const pod = z.object({
  metadata: z.object({ uid: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ serviceAccountName: z.string().default('default') }),
  status: z.object({ phase: z.string().default('') }).prefault({}),
})

/** Read leniently: a class whose spec is otherwise wrong still claims its namespace. */
const claim = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
  spec: z.object({ namespace: z.string() }),
})

const storedKey = objectOf(agentKey).extend({ status: agentKeyStatus.loose().optional() })

const pageSize = 250
const maxPages = 20
const revokeMs = 5_000

/** The Pod as the API server has it now, or undefined. */
export async function readPod(
  client: KubeClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<PodView | undefined> {
  const object = await find(client, { ...pods, namespace, name }, { signal })
  if (object === undefined) return undefined
  const { metadata, spec, status } = pod.parse(object)
  return {
    uid: metadata.uid,
    phase: status.phase,
    serviceAccount: spec.serviceAccountName,
    ...(metadata.deletionTimestamp && { deletionTimestamp: metadata.deletionTimestamp }),
  }
}

/** Names of the AgentClasses, not being deleted, whose namespace this is. */
export async function classesOf(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const names: string[] = []
  let next: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const list = await installed(
      client.list(classes, { limit: pageSize, signal, ...(next && { continue: next }) }),
    )
    for (const item of list.items) {
      const parsed = claim.safeParse(item)
      if (!parsed.success || parsed.data.metadata.deletionTimestamp) continue
      if (parsed.data.spec.namespace === namespace) names.push(parsed.data.metadata.name)
    }
    next = list.continue
    if (next === undefined) return names
  }
  throw new JackstayError(
    'overloaded',
    `there are more than ${pageSize * maxPages} AgentClasses; delete those no longer used`,
  )
}

/** AgentKeys in the cluster, by consistent reads and create-only writes. */
export function keyStore(client: KubeClient): KeyStore {
  return {
    async create(key, signal) {
      const result = await client.create(keys, key.namespace, objectFor(key), {
        fieldValidation: 'Strict',
        fieldManager: 'jackstay-registrar',
        signal,
      })
      if (result.kind === 'applied') return 'created'
      if (result.kind === 'conflict') return 'exists'
      if (result.kind === 'unknown') return 'unknown'
      throw refused(result)
    },
    async read(namespace, name, signal) {
      const object = await find(client, { ...keys, namespace, name }, { signal })
      return object && keyFrom(object)
    },
    revoke: (key, revocation) => revoke(client, key, revocation),
  }
}

async function revoke(
  client: KubeClient,
  key: StoredKey,
  revocation: Revocation,
): Promise<string | undefined> {
  const ref = { ...keys, namespace: key.namespace, name: key.name }
  const signal = AbortSignal.timeout(revokeMs)
  try {
    const result = await client.mergePatch(
      ref,
      { status: { revoked: true, ...revocation } },
      {
        subresource: 'status',
        preconditions: { uid: key.uid },
        fieldManager: 'jackstay-registrar',
        signal,
      },
    )
    if (result.kind === 'applied') return undefined
    const now = await find(client, ref, { signal })
    // a key that is gone, or replaced by another object, authenticates nobody any more
    if (now === undefined || now.metadata.uid !== key.uid || keyFrom(now).revoked) return undefined
    return result.kind === 'unknown' ? result.cause.message : result.message
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function objectFor({ namespace, name, spec }: NewKey) {
  return {
    apiVersion: groupVersion,
    kind: agentKey.kind,
    metadata: {
      name,
      namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: spec.podName, uid: spec.podUid }],
    },
    spec,
  }
}

function keyFrom(object: KubeObject): StoredKey {
  const parsed = storedKey.safeParse(object)
  const namespace = object.metadata.namespace
  if (!parsed.success || namespace === undefined) {
    throw new JackstayError(
      'cluster_refused',
      `the AgentKey \`${namespace}/${object.metadata.name}\` is not as a registrar writes it; find out who made it, then replace the Pod`,
      { cause: parsed.error },
    )
  }
  const { metadata, spec, status } = parsed.data
  return { namespace, name: metadata.name, uid: metadata.uid, spec, revoked: !!status?.revoked }
}

/** A list answers 404 only where the kind itself is unknown. */
async function installed<T>(list: Promise<T>): Promise<T> {
  try {
    return await list
  } catch (cause) {
    if (!(cause instanceof JackstayError) || cause.code !== 'not_found') throw cause
    throw new JackstayError('not_ready', 'the kind AgentClass is not installed; apply the chart', {
      cause,
    })
  }
}

function refused(result: Extract<WriteResult, { kind: 'refused' }>): JackstayError {
  if (result.status === 404) {
    return new JackstayError(
      'not_ready',
      'the kind AgentKey is not installed, or the namespace is gone; apply the chart',
    )
  }
  return new JackstayError(
    result.status === 429 ? 'upstream_unavailable' : 'cluster_refused',
    `the API server would not store the AgentKey: ${result.message}`,
  )
}
