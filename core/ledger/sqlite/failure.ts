/**
 * What a failed statement leaves behind. `full`: the disk or the database has no room, nothing was
 * synced. `refused`: the statement or its data was wrong. `unknown`: everything else, a failed sync
 * above all: the kernel may have dropped what it could not write and will not say so a second time, so
 * nothing may be tried again (https://lwn.net/Articles/752063/).
 */
export type FailureKind = 'full' | 'refused' | 'unknown'

/** SQLITE_NOMEM, READONLY, IOERR, CORRUPT, CANTOPEN, PROTOCOL and NOTADB. */
const unknown = new Set([7, 8, 10, 11, 14, 15, 26])
const full = 13

/** Result codes as in https://www.sqlite.org/rescode.html; the low byte is the primary one. */
export function failureKind(error: unknown): FailureKind {
  if (!isDatabaseError(error)) return isNoSpace(error) ? 'full' : 'unknown'
  const primary = error.errcode & 0xff
  if (primary === full) return 'full'
  return unknown.has(primary) ? 'unknown' : 'refused'
}

/** Whether the database failed, and not only the statement it was given. */
export function isDatabaseFailure(error: unknown): boolean {
  return isDatabaseError(error) && failureKind(error) !== 'refused'
}

function isDatabaseError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

export function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC'
}
