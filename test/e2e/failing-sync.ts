import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Lets every sync of a program fail, as a disk does that can no longer be written. */
export interface FailingSync {
  /** What the program is started with. */
  readonly env: Readonly<Record<string, string>>
  begin(): Promise<void>
  end(): Promise<void>
}

/** Builds what stands between the program and the C library. @throws without a C compiler */
export async function failingSync(folder: string): Promise<FailingSync> {
  const library = join(folder, 'failing-sync.so')
  const source = join(import.meta.dirname, 'failing-sync.c')
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, source, '-ldl']
  await promisify(execFile)('cc', flags)
  const file = join(folder, 'syncs-fail')
  return {
    env: { LD_PRELOAD: library, FAILING_SYNC: file },
    begin: () => writeFile(file, ''),
    end: () => rm(file, { force: true }),
  }
}

/** Why there is none here, for `skip`. */
export async function noFailingSync(): Promise<string | false> {
  if (process.platform !== 'linux') return 'LD_PRELOAD needs Linux'
  const found = await promisify(execFile)('cc', ['--version']).catch(() => undefined)
  return found === undefined && 'needs a C compiler `cc`'
}
