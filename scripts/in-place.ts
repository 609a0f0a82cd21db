import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { assertNamed, inputsOf, shape, workers } from './bundle.ts'
import type { Program } from './programs.ts'

const dayMs = 86_400_000

/**
 * Puts programs together into a folder, for this checkout alone: each file goes on knowing where in it it
 * lies. What programs share, and what they import once they come to it, are files of their own, so that
 * no program holds anything twice or for nothing.
 * @returns every file that they were made of
 */
export async function putTogether(
  root: string,
  programs: readonly Program[],
  folder: string,
): Promise<readonly string[]> {
  const asked = new Map<string, string>()
  const entries = Object.fromEntries(
    programs.map(({ name, entry }) => [name, resolve(root, entry)]),
  )
  const main = await together(root, entries, folder, asked)
  // a worker starts none itself
  const work = await together(root, Object.fromEntries(asked), folder, new Map())
  const files = [...main.files, ...work.files]
  // entries last: whoever starts one finds all it imports
  const entry = ({ path }: File) => dirname(path) === folder
  for (const file of [...files.filter((one) => !entry(one)), ...files.filter(entry)]) {
    await replace(file)
  }
  await removeOld(join(folder, 'parts'), new Set(files.map(({ path }) => path)))
  return [...new Set([...main.inputs, ...work.inputs])]
}

interface File {
  readonly path: string
  readonly contents: string | Uint8Array
}

async function together(
  root: string,
  entryPoints: Record<string, string>,
  folder: string,
  asked: Map<string, string>,
) {
  const result = await build({
    ...shape,
    absWorkingDir: root,
    entryPoints,
    splitting: true,
    // they would bring characters beyond Latin-1 with them, and never leave this checkout
    legalComments: 'none',
    outdir: folder,
    entryNames: '[name]',
    chunkNames: 'parts/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    plugins: [...shape.plugins, places(root, folder, asked)],
  })
  assertNamed(result.metafile)
  return { files: result.outputFiles, inputs: inputsOf(root, result.metafile) }
}

/** Each file knows its place in the checkout, and the workers it starts stand beside the programs. */
function places(root: string, folder: string, asked: Map<string, string>): Plugin {
  return {
    name: 'places',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const text = (await readFile(path, 'utf8')).replaceAll(workers, (_, file: string) => {
          const entry = resolve(dirname(path), file)
          const name = relative(root, entry).replace(/\.ts$/, '').replaceAll(/\W+/g, '-')
          asked.set(name, entry)
          const url = pathToFileURL(join(folder, `${name}.mjs`)).href
          return `new URL(${JSON.stringify(url)})`
        })
        const here = JSON.stringify(pathToFileURL(path).href)
        return { contents: text.replaceAll('import.meta.url', () => here), loader: 'ts' }
      })
    },
  }
}

/** Another start may read the same file just now. `made`: instead of now. */
export async function replace({ path, contents }: File, made?: Date): Promise<void> {
  const next = `${path}.${process.pid}`
  await mkdir(dirname(path), { recursive: true })
  await writeFile(next, contents)
  if (made !== undefined) await utimes(next, made, made)
  await rename(next, path)
}

/** Parts of earlier programs, but for those that may still run. */
async function removeOld(parts: string, needed: ReadonlySet<string>): Promise<void> {
  const names = await readdir(parts).catch(() => [])
  for (const path of names.map((name) => join(parts, name))) {
    if (needed.has(path)) continue
    // another start may remove the same
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && found.mtimeMs < Date.now() - dayMs) await rm(path, { force: true })
  }
}
