/**
 * The origin of a log is `jackstay.dev/<cluster uid>`; a log that a recovery began is its successor
 * `…/2`, `…/3` and so on. Nobody can then take one for the other.
 */

const successor = /^(.*)\/([2-9]|[1-9]\d{1,5})$/

/** The origin without its number. */
export function baseOf(origin: string): string {
  return successor.exec(origin)?.[1] ?? origin
}

/** 1 for the first log of a cluster. */
export function generationOf(origin: string): number {
  return Number(successor.exec(origin)?.[2] ?? 1)
}

/** The origin of the log that follows. */
export function nextOrigin(origin: string): string {
  return `${baseOf(origin)}/${generationOf(origin) + 1}`
}
