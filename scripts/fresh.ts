import { mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleWithInputs } from './bundle.ts'
import type { Program } from './programs.ts'
import { rootFolder } from './root.ts'

/**
 * Bundles programs into a folder, for this checkout alone, leaving those whose files did not change since.
 * @param onBundle told the name of each that has to be made
 */
export async function freshBundles(
  folder: string,
  programs: readonly Program[],
  onBundle: (name: string) => void,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const program of programs) {
    const path = join(folder, `${program.name}.mjs`)
    if (await isFresh(path)) continue
    onBundle(program.name)
    // what lies within this very millisecond was there before
    const begun = new Date(Date.now() + 1)
    const { text, inputs } = await bundleWithInputs(rootFolder, program, { inPlace: true })
    await replace(path, text, begun)
    await replace(`${path}.inputs`, inputs.join('\n'), begun)
  }
}

/** Another start may run the same file just now; what is saved while it is made is newer. */
async function replace(path: string, text: string, made: Date): Promise<void> {
  await writeFile(`${path}.${process.pid}`, text)
  await utimes(`${path}.${process.pid}`, made, made)
  await rename(`${path}.${process.pid}`, path)
}

async function isFresh(path: string): Promise<boolean> {
  try {
    const made = (await stat(path)).mtimeMs
    const inputs = (await readFile(`${path}.inputs`, 'utf8')).split('\n')
    const changed = await Promise.all([...inputs, ...(await bundlers())].map(changedAt))
    return changed.every((one) => one < made)
  } catch {
    // one of them is not there: it is made anew
    return false
  }
}

/** What makes bundles is part of them. */
async function bundlers(): Promise<string[]> {
  const names = await readdir(join(rootFolder, 'scripts'))
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => join('scripts', name))
  return files.map((name) => join(rootFolder, name))
}

async function changedAt(path: string): Promise<number> {
  const { mtimeMs, ctimeMs } = await stat(path)
  return Math.max(mtimeMs, ctimeMs)
}
