import { readFile, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { launched, type Part } from './launcher.ts'
import { lean } from './lean.ts'
import { nodeCheck, type Program } from './programs.ts'
import { rootFolder } from './root.ts'

/** Bundles one program into one file without any static import. */
export async function bundle(root: string, { name, entry }: Program): Promise<string> {
  const [first, ...later] = await partsOf(root, entry, true)
  return `#!/usr/bin/env node\n${nodeCheck(name)}\n${launched(first.text, later)}`
}

/** The program, and with `splitting` the modules it imports once it comes to them. */
async function partsOf(
  root: string,
  entry: string,
  splitting: boolean,
): Promise<readonly [Part, ...Part[]]> {
  const result = await build({
    ...shape,
    absWorkingDir: root,
    entryPoints: { program: entry },
    splitting,
    outdir: root,
    plugins: [...shape.plugins, sources(root)],
  })
  assertNamed(result.metafile)
  const files = result.outputFiles.map(({ path, text }) => ({ name: basename(path), text }))
  const program = files.find(({ name }) => name === 'program.js')
  if (program === undefined) throw new Error(`\`${entry}\` gave no bundle`)
  return [program, ...files.filter((file) => file !== program)]
}

/** Every file that a bundle was made of. */
export function inputsOf(root: string, { inputs }: Metafile): readonly string[] {
  // others are Node's own modules, in a namespace of theirs
  const paths = Object.keys(inputs).filter((path) => !path.includes(':'))
  return paths.map((path) => resolve(root, path))
}

/** Of a CommonJS module that is imported by a call, esbuild knows no names: they would be undefined. */
export function assertNamed({ inputs }: Metafile): void {
  const calls = Object.values(inputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind }) => kind === 'dynamic-import')
  const nameless = calls.find(({ path }) => inputs[path]?.format === 'cjs')
  if (nameless === undefined) return
  const { path } = nameless
  throw new Error(
    `\`${path}\` is CommonJS and imported by a call: import a file of ours that re-exports it`,
  )
}

/**
 * Modules of Node, fetched when they are first used: static imports would be linked before the
 * first statement runs, and fail there on a Node that lacks one of them.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined
      // comes after the first statement anyhow
      if (kind === 'dynamic-import') return { path, external: true }
      return { path: path.replace(/^node:/, ''), namespace: 'builtin' }
    })
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
      loader: 'js',
    }))
  },
}

/** A worker that a file starts. */
export const workers = /new URL\('(\.\/[\w-]+\.ts)', import\.meta\.url\)/g

/** A worker's own module, wherever a file starts one, travels inside the bundle as a data URL. */
function sources(root: string): Plugin {
  return {
    name: 'sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        // a program's own first line would stand within
        let contents = (await readFile(path, 'utf8')).replace(/^#!.*/, '')
        for (const [text, file = ''] of contents.matchAll(workers)) {
          // a module of such an address imports no other
          const [worker] = await partsOf(root, resolve(dirname(path), file), false)
          const url = `data:text/javascript;base64,${Buffer.from(worker.text).toString('base64')}`
          contents = contents.replace(text, () => `new URL('${url}')`)
        }
        return { contents, loader: 'ts' }
      })
    },
  }
}

/** How every program is bundled. */
export const shape = {
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  format: 'esm',
  // syntax that an old Node parses, so that it gets as far as saying that it is too old
  target: 'node18',
  // one character beyond Latin-1 would make V8 hold and read all of it at two bytes each
  charset: 'ascii',
  // names stay, so that a stack can be read; a line that fails is printed, so none is endless
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  legalComments: 'eof',
  logLevel: 'silent',
  plugins: [builtins, lean],
} as const satisfies BuildOptions

// `node scripts/bundle.ts NAME ENTRY FILE`: one program alone, for what measures it
if (import.meta.main) {
  const [name = '', entry = '', file = ''] = process.argv.slice(2)
  await writeFile(file, await bundle(rootFolder, { name, entry }))
}
