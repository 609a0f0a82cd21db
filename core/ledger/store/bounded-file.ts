import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { JackstayError } from '@jackstay/contract/errors'

/**
 * A file that anybody may have put there, or undefined where there is none. Synchronously: a log is
 * thousands of small files, and to send each open, read and close through Node's thread pool takes
 * longer than to hash what is in them.
 * @throws JackstayError `too_large`, `invalid_request` for what is no file
 */
export function readBounded(path: string, limit: number): Buffer | undefined {
  const file = openIfThere(path)
  if (file === undefined) return undefined
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new JackstayError('invalid_request', `\`${path}\` is no file`)
    const { size } = stat
    if (size > limit) throw tooLarge(path, limit)
    const bytes = Buffer.allocUnsafeSlow(size)
    let done = 0
    while (done < size) {
      const count = readSync(file, bytes, done, size - done, done)
      // cut while we read it: what is there is for the caller to judge
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  } finally {
    closeSync(file)
  }
}

export function tooLarge(what: string, limit: number): JackstayError {
  return new JackstayError(
    'too_large',
    `\`${what}\` exceeds ${limit} bytes and is no part of a log`,
  )
}

function openIfThere(path: string): number | undefined {
  try {
    // to open a pipe would wait for somebody to write to it, and nothing could interrupt that
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
