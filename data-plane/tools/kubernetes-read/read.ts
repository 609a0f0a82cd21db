import { JackstayError } from '@jackstay/contract/errors'
import { canonical, type JsonMap, sha256 } from '@jackstay/contract/json'
import type { ReadableKind } from '@jackstay/contract/readable'
import type {
  Evidence,
  GetAnswer,
  GetRequest,
  ListAnswer,
  ListRequest,
} from '@jackstay/contract/reads'
import { collectionPath, type KubeObject, objectPath } from '@jackstay/kube/resources'
import type { AgentReader } from './agent.ts'
import { project } from './project.ts'
import { checkScope, readableKind } from './readable.ts'
import { Stripper } from './strip.ts'

/** Of one answer, whatever the verb. */
export const maxAnswerBytes = 256 * 1024

/**
 * Reads one object.
 * @throws JackstayError `forbidden`, `not_found`, `invalid_request`, `too_large`, `upstream_unavailable`
 */
export async function readOne(reader: AgentReader, request: GetRequest): Promise<GetAnswer> {
  const { kind, apiVersion, namespace, name, full } = request
  const row = readableKind(kind, apiVersion)
  checkScope(row, namespace)
  const stripper = new Stripper()
  const object = shown(row, await reader.get(row, namespace, name), stripper, full)
  const text = canonical(object)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxAnswerBytes) {
    const advice = full ? 'ask without `full`' : 'ask a person to look'
    throw new JackstayError(
      'too_large',
      `${kind} \`${name}\` has ${bytes} bytes, more than the ${maxAnswerBytes} an agent can read; ${advice}`,
    )
  }
  const digest = sha256(text)
  const evidence = { uri: uriOf(row, namespace, name), digest }
  return { untrusted: true, withheld: stripper.withheld, object, evidence }
}

/**
 * Reads one page of one kind in one namespace.
 * @throws JackstayError as {@link readOne}
 */
export async function readMany(reader: AgentReader, request: ListRequest): Promise<ListAnswer> {
  const { kind, apiVersion, namespace, labelSelector, limit, full } = request
  const row = readableKind(kind, apiVersion)
  checkScope(row, namespace)
  const list = await reader.list(row, namespace, {
    limit,
    ...(labelSelector && { labelSelector }),
    ...(request.continue && { continue: request.continue }),
  })
  const stripper = new Stripper()
  const items = list.items.slice(0, limit).map((item) => shown(row, item, stripper, full))
  const texts = items.map((item) => canonical(item))
  const fit = fitting(texts)
  if (fit < texts.length) {
    const less = full ? 'leave `full` out, or ' : ''
    const advice =
      fit > 0
        ? `${less}ask for \`limit\` ${fit} or narrow \`labelSelector\``
        : `${less}get them one by one`
    throw new JackstayError(
      'too_large',
      `${texts.length} ${row.resource} exceed ${maxAnswerBytes} bytes; ${advice}`,
    )
  }
  const query = new URLSearchParams({ ...(labelSelector && { labelSelector }), limit: `${limit}` })
  return {
    untrusted: true,
    withheld: stripper.withheld,
    items,
    ...(list.continue && { continue: cursor(list.continue) }),
    evidence: evidenceOf(`k8s:${collectionPath(row, namespace)}?${query}`, items),
  }
}

/** An object without secrets and, unless all of it is asked for, with the fields that usually tell. */
export function shown(
  { kind }: ReadableKind,
  object: KubeObject,
  stripper: Stripper,
  full = false,
): JsonMap {
  // what is left out is not looked at: taking secrets out is what costs
  const part = full ? object : project(kind, object)
  return { ...stripper.object(part) }
}

export function uriOf(row: ReadableKind, namespace: string | undefined, name: string): string {
  return `k8s:${objectPath({ ...row, name, ...(namespace !== undefined && { namespace }) })}`
}

export function evidenceOf(uri: string, value: unknown): Evidence {
  return { uri, digest: sha256(canonical(value)) }
}

const maxCursor = 4096

/** Whoever could not send it back must not be led to believe that the list is complete. */
function cursor(text: string): string {
  if (text.length <= maxCursor) return text
  throw new JackstayError(
    'too_large',
    `the list goes on after a name that is too long to continue from; narrow \`labelSelector\``,
  )
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
