import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { underLock } from './lock.ts'

/** Everything the harness builds, fetches and runs lives below, never in the repository. */
export function cacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'jackstay', 'cluster')
}

/** A folder of the cache: its name holds what it is, its version, and a hash of the way it was made. */
export function cacheFolder(name: string, version: string, recipe: string): string {
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12)
  return join(cacheRoot(), `${name}-${version}-${hash}`)
}

/**
 * Makes the folder unless it is there. `fill` works in a folder beside it that is renamed when whole,
 * so a folder in the cache is always complete; two processes that want the same one wait for each other.
 */
export async function ensureFolder(
  folder: string,
  fill: (unfinished: string) => Promise<void>,
  signal?: AbortSignal,
): Promise<string> {
  if (existsSync(folder)) return folder
  await underLock(
    folder,
    async () => {
      if (existsSync(folder)) return
      await mkdir(dirname(folder), { recursive: true })
      await removeUnfinished(folder)
      const unfinished = await mkdtemp(`${folder}.unfinished-`)
      try {
        await fill(unfinished)
        await rename(unfinished, folder)
      } finally {
        await rm(unfinished, { recursive: true, force: true })
      }
    },
    signal,
  )
  return folder
}

// whoever was killed while filling left its half; the lock says that nobody is at it now
async function removeUnfinished(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.unfinished-`
  for (const entry of await readdir(dirname(folder))) {
    if (entry.startsWith(prefix)) {
      await rm(join(dirname(folder), entry), { recursive: true, force: true })
    }
  }
}

/** The text of every file in a folder and below, by name: what a cache key must change with. */
export async function folderText(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const names = files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))).sort()
  const texts = names.map(async (name) => `${name}\n${await readFile(join(folder, name), 'utf8')}`)
  return (await Promise.all(texts)).join('\n')
}
