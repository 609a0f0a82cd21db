import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { putTogether, replace } from './in-place.ts'
import type { Program } from './programs.ts'
import { rootFolder } from './root.ts'

/** Where Node keeps what V8 made of the programs in a folder. */
export function compiledFolder(folder: string): string {
  return join(folder, 'compiled')
}

/**
 * Puts programs together into a folder, for this checkout alone, unless none of their files changed since.
 * @param onBegin told that it has to be done, which takes some seconds
 */
export async function freshPrograms(
  folder: string,
  programs: readonly Program[],
  onBegin: () => void,
): Promise<void> {
  const record = join(folder, 'made-of.txt')
  const made = programs.map(({ name }) => join(folder, `${name}.mjs`))
  if (await isFresh(record, made)) return
  onBegin()
  await rm(compiledFolder(folder), { recursive: true, force: true })
  // what lies within this very millisecond was there before; what is saved while they are made is newer
  const begun = new Date(Date.now() + 1)
  const inputs = await putTogether(rootFolder, programs, folder)
  await replace({ path: record, contents: inputs.join('\n') }, begun)
}

async function isFresh(record: string, made: readonly string[]): Promise<boolean> {
  try {
    const at = (await stat(record)).mtimeMs
    const inputs = (await readFile(record, 'utf8')).split('\n')
    const changed = await Promise.all([...inputs, ...(await bundlers())].map(changedAt))
    await Promise.all(made.map((path) => stat(path)))
    return changed.every((one) => one < at)
  } catch {
    // one of them is not there: it is made anew
    return false
  }
}

/** What makes programs is part of them. */
async function bundlers(): Promise<string[]> {
  const names = await readdir(join(rootFolder, 'scripts'))
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => join('scripts', name))
  return files.map((name) => join(rootFolder, name))
}

async function changedAt(path: string): Promise<number> {
  const { mtimeMs, ctimeMs } = await stat(path)
  return Math.max(mtimeMs, ctimeMs)
}
