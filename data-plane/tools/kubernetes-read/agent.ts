import type { Readable as ByteStream } from 'node:stream'
import { JackstayError } from '@jackstay/contract/errors'
import { podLogs, type ReadableKind } from '@jackstay/contract/readable'
import type { KubeClient, KubeList, ListOptions, Query } from '@jackstay/kube/client'
import { statusOf } from '@jackstay/kube/client'
import { type KubeObject, objectPath } from '@jackstay/kube/resources'
import { hasRightsIn } from './rights.ts'

/** Whom the API server is asked as. */
export interface Agent {
  readonly namespace: string
  readonly name: string
}

/** What is read, for messages and for whoever has to grant it. */
interface Asked {
  readonly verb: string
  readonly resource: string
  readonly role: string
  readonly kind: string
  readonly namespace: string | undefined
}

type Page = Pick<ListOptions, 'labelSelector' | 'fieldSelector' | 'limit' | 'continue'>

/** One answer of the API server; a hundred large objects must not fill the memory of everybody. */
const maxBytes = 16 * 1024 * 1024
/** Every call ends before the request does, so that its failure can be told. */
const timeoutMs = 10_000

/** Reads with the rights of one agent and nobody else's, and explains what fails. */
export class AgentReader {
  readonly agent: Agent
  readonly #client: KubeClient
  readonly #signal: AbortSignal

  /**
   * INVARIANT: exactly the caller's ServiceAccount. No groups are given: the API server then adds the
   * three of a ServiceAccount itself, and no right to impersonate groups is needed.
   */
  constructor(client: KubeClient, agent: Agent, signal: AbortSignal) {
    this.agent = agent
    this.#client = client.as({ username: `system:serviceaccount:${agent.namespace}:${agent.name}` })
    this.#signal = signal
  }

  /** @throws JackstayError `forbidden`, `not_found`, `too_large`, `upstream_unavailable` */
  async get(row: ReadableKind, namespace: string | undefined, name: string): Promise<KubeObject> {
    const ref = { ...row, name, ...(namespace !== undefined && { namespace }) }
    const options = { signal: this.#signal, timeoutMs, maxBytes }
    return await this.#explained({ ...row, verb: 'get', namespace }, this.#client.get(ref, options))
  }

  /** @throws JackstayError as `get`, `invalid_request` */
  async list(row: ReadableKind, namespace: string | undefined, page: Page): Promise<KubeList> {
    const options = { signal: this.#signal, timeoutMs, maxBytes }
    return await this.#explained(
      { ...row, verb: 'list', namespace },
      this.#client.list(row, {
        ...options,
        ...page,
        ...(namespace !== undefined && { namespace }),
      }),
    )
  }

  /** @throws JackstayError as `get`, `invalid_request` */
  async logs(namespace: string, name: string, query: Query): Promise<ByteStream> {
    const path = objectPath({ apiVersion: 'v1', resource: 'pods', namespace, name }, 'log')
    return await this.#explained(
      { ...podLogs, kind: 'Pod', verb: 'get', namespace },
      this.#client.stream({ path, query, signal: this.#signal, timeoutMs }),
    )
  }

  async #explained<T>(asked: Asked, call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (error) {
      throw await this.#explain(asked, error)
    }
  }

  async #explain(asked: Asked, error: unknown): Promise<unknown> {
    const status = statusOf(error)
    const options = { cause: error }
    if (status?.code === 403) return await this.#refused(asked, status.message, error)
    if (status?.code === 404) {
      const where = asked.namespace === undefined ? '' : ` in \`${asked.namespace}\``
      const text = `there is no such ${asked.kind}${where}; list them to see which there are`
      return new JackstayError('not_found', text, options)
    }
    if (status?.code === 410) {
      const text = '`continue` is too old; list again from the start'
      return new JackstayError('invalid_request', text, options)
    }
    if (status?.code === 400)
      return new JackstayError('invalid_request', wrong(asked, status.message), options)
    return error
  }

  async #refused(asked: Asked, message: string, cause: unknown): Promise<JackstayError> {
    const who = `${this.agent.namespace}/${this.agent.name}`
    const { verb, resource, role, namespace } = asked
    if (/cannot impersonate/.test(message)) {
      return new JackstayError(
        'cluster_refused',
        `kubernetes-read may not read as \`${who}\`; give it the verb \`impersonate\` on that ServiceAccount`,
        { cause },
      )
    }
    if (namespace === undefined) {
      return new JackstayError(
        'forbidden',
        `\`${who}\` may not ${verb} ${resource}; a ClusterRoleBinding to \`${role}\` would let it`,
        { cause },
      )
    }
    // INVARIANT (T76): a namespace that is not the agent's answers as one that does not exist
    if (!(await hasRightsIn(this.#client, namespace, this.#signal))) {
      return new JackstayError(
        'not_found',
        `there is no namespace \`${namespace}\`, or it is not for \`${who}\` to see; a RoleBinding there to \`jackstay-read-workloads\` would let it`,
      )
    }
    return new JackstayError(
      'forbidden',
      `\`${who}\` may not ${verb} ${resource} in \`${namespace}\`; a RoleBinding there to the ClusterRole \`${role}\` would let it`,
      { cause },
    )
  }
}

/** What the API server found wrong with the question. Its words hold names of containers at most. */
function wrong({ resource }: Asked, message: string): string {
  if (resource !== podLogs.resource) {
    return 'the API server does not accept `labelSelector` or `continue`; correct the selector, or list from the start'
  }
  const why = /: (?:container|previous terminated|a container name).*$/.exec(message)?.[0].slice(2)
  return `no logs: ${why ?? message}; give \`container\`, leave \`previous\` out, or describe the Pod`
}
