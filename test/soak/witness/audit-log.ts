import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type AuditWrite, readAuditLine } from './audit-event.ts'

/** Follows the audit log of the API server from where it stands, over its rotations. */
export interface AuditLog {
  /** Everything that came since the last call. */
  read(): Promise<readonly AuditWrite[]>
  close(): Promise<void>
}

const chunkBytes = 1 << 20

/** @throws Error where there is no such log */
export async function followAuditLog(path: string): Promise<AuditLog> {
  let file = await open(path)
  let offset = (await file.stat()).size
  let rest = Buffer.alloc(0)
  const drain = async (from: FileHandle, into: AuditWrite[]) => {
    for (;;) {
      const { bytesRead, buffer } = await from.read(Buffer.alloc(chunkBytes), 0, chunkBytes, offset)
      if (bytesRead === 0) return
      offset += bytesRead
      const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      const end = text.lastIndexOf(10) + 1
      rest = text.subarray(end)
      for (const line of text.subarray(0, end).toString('utf8').split('\n')) {
        const write = line === '' ? undefined : readAuditLine(line)
        if (write !== undefined) into.push(write)
      }
    }
  }
  return {
    async read() {
      const found: AuditWrite[] = []
      await drain(file, found)
      for (const next of await newerThan(path, (await file.stat()).ino)) {
        await drain(file, found)
        await file.close()
        file = await open(next)
        offset = 0
        await drain(file, found)
      }
      return found
    },
    close: () => file.close(),
  }
}

/** The files that took this one's place, oldest first: it was renamed, and others after it. */
async function newerThan(path: string, inode: number): Promise<readonly string[]> {
  if ((await stat(path)).ino === inode) return []
  const folder = dirname(path)
  // rotated files carry the time in their name, so that names are in the order of time
  const names = (await readdir(folder)).filter((name) => /^audit-.+\.log$/.test(name)).toSorted()
  const files = [...names.map((name) => join(folder, name)), path]
  const inodes = await Promise.all(files.map(async (file) => (await stat(file)).ino))
  const at = inodes.indexOf(inode)
  if (at < 0) throw new Error('the audit log was rotated away unread, read it more often')
  return files.slice(at + 1)
}
