import { open } from 'node:fs/promises'
import type { Anchor } from './anchor.ts'

/** The end of the file that is read back: far longer than one line. */
const tail = 256 * 1024

export interface FileAnchorOptions {
  readonly name: string
  /** On a disk that the mediator can append to and nobody can rewrite: it is never made shorter. */
  readonly path: string
  readonly now: () => Date
}

/** Checkpoints as JSON lines `{at, checkpoint}` in a file that is only ever appended to. */
export function fileAnchor({ name, path, now }: FileAnchorOptions): Anchor {
  return {
    name,
    description: `file ${path}`,
    async push(note) {
      // Append mode also works where the file system allows nothing else (`chattr +a`).
      await using file = await open(path, 'a', 0o644)
      const { size } = await file.stat()
      const line = `${JSON.stringify({ at: now().toISOString(), checkpoint: note })}\n`
      // A line that a power cut tore must not swallow the next one.
      await file.write(size > 0 && !(await endsWithNewline(path, size)) ? `\n${line}` : line)
      await file.sync()
    },
    async newest() {
      for (const line of (await lastLines(path)).toReversed()) {
        const note = checkpointIn(line)
        if (note !== undefined) return note
      }
      return undefined
    },
  }
}

async function endsWithNewline(path: string, size: number): Promise<boolean> {
  await using file = await open(path, 'r')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a
}

async function lastLines(path: string): Promise<readonly string[]> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    const from = Math.max(0, size - tail)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    return buffer.subarray(0, bytesRead).toString('utf8').split('\n')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Undefined for a torn line. */
function checkpointIn(line: string): string | undefined {
  try {
    const { checkpoint }: { checkpoint?: unknown } = Object(JSON.parse(line))
    return typeof checkpoint === 'string' ? checkpoint : undefined
  } catch {
    return undefined // cut by a crash while it was written: the line before it counts
  }
}
