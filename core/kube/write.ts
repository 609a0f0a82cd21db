import { JackstayError } from '@jackstay/contract/errors'
import type { ApiResponse } from './client.ts'
import { asObject, isRecord, type KubeObject } from './resources.ts'
import { ApiStatusError, parseStatus } from './status.ts'

/** What an object must still be for a write to land. */
export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/**
 * What became of a write.
 * - `applied`: stored (or would be, on a dry-run).
 * - `conflict`: 409; the object moved, exists already, or is another. Nothing was written.
 * - `refused`: another 3xx or 4xx. Nothing was written. A wrong `metadata.uid` in a patch is a 422 here;
 *   429 on an eviction is a disruption budget.
 * - `unknown`: sent, but cut, timed out, or a 5xx, which a server may send after storing. Settle it by
 *   reading; never send it again blindly.
 *
 * `auditId` is the request's id in the Kubernetes audit log.
 */
export type WriteResult =
  | {
      readonly kind: 'applied'
      readonly object: KubeObject
      readonly auditId: string | undefined
      readonly warnings: readonly string[]
    }
  | {
      readonly kind: 'conflict'
      readonly status: 409
      readonly reason: string
      readonly message: string
      readonly auditId: string | undefined
    }
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly reason: string
      readonly message: string
      readonly auditId: string | undefined
      readonly retryAfterSeconds?: number
    }
  | { readonly kind: 'unknown'; readonly cause: Error; readonly auditId?: string }

/** Sorts the answer to a write. */
export function settle(response: ApiResponse): WriteResult {
  const { status, headers, body } = response
  const id = headers['audit-id']
  const auditId = typeof id === 'string' ? id : undefined
  if (status >= 200 && status < 300) {
    try {
      return {
        kind: 'applied',
        object: asObject(body),
        auditId,
        warnings: warnings(headers.warning),
      }
    } catch (cause) {
      return unknown(cause, auditId)
    }
  }
  const said = parseStatus(status, body, headers)
  if (status >= 500) return unknown(new ApiStatusError(said), auditId)
  const { reason, message, retryAfterSeconds } = said
  if (status === 409) return { kind: 'conflict', status, reason, message, auditId }
  return {
    kind: 'refused',
    status,
    reason,
    message,
    auditId,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

function unknown(cause: unknown, auditId: string | undefined): WriteResult {
  return {
    kind: 'unknown',
    cause: cause instanceof Error ? cause : new Error(String(cause)),
    ...(auditId === undefined ? {} : { auditId }),
  }
}

/** `299 - "text"`, with `\"` for a quote. */
function warnings(header: string | readonly string[] | undefined): string[] {
  const lines = header === undefined ? [] : [header].flat()
  return lines.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
      (match[1] ?? '').replace(/\\(.)/g, '$1'),
    ),
  )
}

/**
 * A merge patch with its preconditions in the metadata.
 * @throws JackstayError `invalid_request` for an empty one: the server takes `resourceVersion: ""` as
 *   no precondition at all
 */
export function mergeBody(
  what: string,
  body: Readonly<Record<string, unknown>>,
  preconditions: Preconditions = {},
): Readonly<Record<string, unknown>> {
  const given = isRecord(body.metadata) ? body.metadata : {}
  const metadata: Record<string, unknown> = { ...given }
  for (const field of ['uid', 'resourceVersion'] as const) {
    const value = preconditions[field]
    if (value !== undefined && metadata[field] !== undefined && metadata[field] !== value) {
      throw new JackstayError(
        'invalid_request',
        `the patch of ${what} and its preconditions name different \`${field}\`; give one`,
      )
    }
    if (value !== undefined) metadata[field] = value
    if (field in metadata && (typeof metadata[field] !== 'string' || metadata[field] === '')) {
      throw new JackstayError(
        'invalid_request',
        `the patch of ${what} has an empty \`${field}\`, which is no precondition; read the object first`,
      )
    }
  }
  return Object.keys(metadata).length === 0 ? body : { ...body, metadata }
}
