import { open } from 'node:fs/promises'
import { CommandFailed, unreadable, usageError } from './failure.ts'

/** More than etcd takes of an object, than `kubectl get` gives of a few, and than a proof may have. */
const maxBytes = 2 * 1024 * 1024

/** The bytes of a file that is named on a command line. @throws CommandFailed */
export async function readBytes(path: string, signal?: AbortSignal): Promise<Buffer> {
  try {
    await using file = await open(path)
    // not by its size: that of a pipe or a device says nothing
    return await bounded(file.createReadStream({ autoClose: false }), path, signal)
  } catch (cause) {
    throw cause instanceof CommandFailed ? cause : unreadable(path, cause)
  }
}

/** What comes of a stream called `name`. @throws CommandFailed where that has no end */
export async function bounded(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  signal?: AbortSignal,
): Promise<Buffer> {
  const kept: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    bytes += chunk.length
    if (bytes > maxBytes) {
      throw usageError(
        `\`${name}\` is larger than ${maxBytes / 1024 / 1024} MiB; split it, or name another`,
      )
    }
    kept.push(chunk)
  }
  return Buffer.concat(kept)
}
