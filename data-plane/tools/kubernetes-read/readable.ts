import { JackstayError } from '@jackstay/contract/errors'
import { type ReadableKind, readableKinds } from '@jackstay/contract/readable'
import { visible } from '@jackstay/contract/text'

/**
 * The row of the table for exactly this kind, and this version where one is given: no short names,
 * plurals or other versions.
 * @throws JackstayError `forbidden`
 */
export function readableKind(kind: string, apiVersion?: string): ReadableKind {
  const found = readableKinds.find((row) => row.kind === kind)
  if (found && (apiVersion === undefined || apiVersion === found.apiVersion)) return found
  const asked = visible(apiVersion === undefined ? kind : `${apiVersion} ${kind}`, 128)
  const kinds = readableKinds.map((row) => `${row.apiVersion} ${row.kind}`).join(', ')
  throw new JackstayError('forbidden', `\`${asked}\` cannot be read by agents; these can: ${kinds}`)
}

/**
 * Where a kind lives and where somebody looks for it are the same.
 * @throws JackstayError `invalid_request`
 */
export function checkScope({ kind, scope }: ReadableKind, namespace: string | undefined): void {
  if (scope === 'namespaced' && namespace === undefined) {
    throw new JackstayError('invalid_request', `a ${kind} lives in a namespace; give \`namespace\``)
  }
  if (scope === 'cluster' && namespace !== undefined) {
    throw new JackstayError(
      'invalid_request',
      `a ${kind} has no namespace; leave \`namespace\` out`,
    )
  }
}
