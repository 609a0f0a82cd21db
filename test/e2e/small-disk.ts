import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const megabytes = 64

/** A small disk of its own under a folder, with what is in the folder. */
export interface SmallDisk extends AsyncDisposable {
  /** Not a byte more fits. */
  fill(): Promise<void>
  makeRoom(): Promise<void>
}

/** Why there is none here, for `skip`. */
export function noSmallDisk(): string | false {
  if (process.platform === 'linux' && process.getuid?.() === 0) return false
  return 'mounting a small disk needs Linux and root'
}

/** Nobody may have anything open in `folder` before and after. */
export async function smallDisk(folder: string): Promise<SmallDisk> {
  const before = await mkdtemp(join(tmpdir(), 'jackstay-before-'))
  await cp(folder, before, { recursive: true })
  await exec('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'jackstay', folder])
  await cp(before, folder, { recursive: true })
  await rm(before, { recursive: true })
  const others = join(folder, 'others')
  return {
    async fill() {
      const more = Buffer.alloc(megabytes * 1024 * 1024)
      const full = await writeFile(others, more).then(() => false, isNoSpace)
      if (!full) throw new Error('the disk has more room than it was made with')
    },
    makeRoom: () => rm(others, { force: true }),
    async [Symbol.asyncDispose]() {
      await exec('umount', ['--lazy', folder])
    },
  }
}

function isNoSpace(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return true
  throw error
}
