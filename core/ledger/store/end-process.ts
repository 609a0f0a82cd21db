import { writeSync } from 'node:fs'
import type { JackstayError } from '@jackstay/contract/errors'

/**
 * An orderly exit would close the database, which syncs once more and believes it, and would let work
 * under way go on meanwhile: the process ends without one, as a crash does, which the next start is
 * made for.
 */
export function endProcess(error: JackstayError): void {
  const why = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  writeSync(process.stderr.fd, `${error.code}: ${error.message}${why}\n`)
  process.kill(process.pid, 'SIGKILL')
}
