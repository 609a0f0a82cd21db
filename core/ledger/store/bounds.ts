import { JackstayError } from '@jackstay/contract/errors'
import { tileWidth, widthOf } from '../log/tiles.ts'

/** What every store refuses before it asks its database. */

/** Waiting writes, unless told otherwise. */
export const defaultQueueLimit = 4096

const pageLimit = 1000
/** Longer claims would keep an intent of a dead program waiting. */
const longestClaimMs = 10 * 60_000

export function assertLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageLimit) return
  throw new JackstayError('invalid_request', `\`limit\` is \`${limit}\`: use 1 to ${pageLimit}`)
}

export function assertTtl(ttlMs: number): void {
  if (Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= longestClaimMs) return
  throw new JackstayError(
    'invalid_request',
    `a claim of \`${ttlMs}\` ms is not possible: use 1 to ${longestClaimMs}`,
  )
}

export function assertSize(asked: number, size: number): void {
  if (asked <= size) return
  throw new JackstayError(
    'invalid_request',
    `the log has ${size} leaves, not ${asked}: ask for a size it had`,
  )
}

/** The width of a tile to serve: all there is, or the asked one; 0 where the tree does not reach. */
export function servedWidth(
  size: number,
  level: number,
  index: number,
  asked: number | undefined,
): number {
  if (![level, index, asked ?? 1].every((n) => Number.isSafeInteger(n) && n >= 0)) return 0
  const has = widthOf(level, index, size)
  if (asked === undefined) return has
  return asked <= Math.min(has, tileWidth) ? asked : 0
}
