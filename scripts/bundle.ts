import { readFile, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'
import { launched, type Part } from './launcher.ts'
import { lean } from './lean.ts'
import { nodeCheck, type Program } from './programs.ts'
import { rootFolder } from './root.ts'

/** Bundles one program into one file without any static import. */
export async function bundle(root: string, program: Program): Promise<string> {
  return (await bundleWithInputs(root, program)).text
}

export interface Bundle {
  readonly text: string
  /** Every file that it was made of. */
  readonly inputs: readonly string[]
}

/**
 * The same, telling what it was made of. In place, each file goes on knowing where in this checkout it
 * lies, so that the bundle is good here alone.
 */
export async function bundleWithInputs(
  root: string,
  { name, entry }: Program,
  { inPlace = false } = {},
): Promise<Bundle> {
  const { parts, inputs } = await bundled(root, entry, { inPlace, splitting: true })
  const [first, ...later] = parts
  const text = `#!/usr/bin/env node\n${nodeCheck(name)}\n${launched(first.text, later)}`
  return { text, inputs }
}

interface Bundled {
  /** The program, and with `splitting` the modules it imports once it comes to them. */
  readonly parts: readonly [Part, ...Part[]]
  readonly inputs: readonly string[]
}

interface Shape {
  readonly inPlace: boolean
  readonly splitting: boolean
}

async function bundled(
  root: string,
  entry: string,
  { inPlace, splitting }: Shape,
): Promise<Bundled> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: { program: entry },
    bundle: true,
    splitting,
    outdir: root,
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
    plugins: [builtins, lean, sources(root, inPlace)],
  })
  assertNamed(result.metafile)
  const files = result.outputFiles.map(({ path, text }) => ({ name: basename(path), text }))
  const program = files.find(({ name }) => name === 'program.js')
  if (program === undefined) throw new Error(`\`${entry}\` gave no bundle`)
  // others are Node's own modules, in a namespace of theirs
  const inputs = Object.keys(result.metafile.inputs).filter((path) => !path.includes(':'))
  return {
    parts: [program, ...files.filter((file) => file !== program)],
    inputs: inputs.map((path) => resolve(root, path)),
  }
}

/** Of a CommonJS module that is imported by a call, esbuild knows no names: they would be undefined. */
function assertNamed({ inputs }: Metafile): void {
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

/**
 * A worker's own module, wherever a file starts one, travels inside the bundle as a data URL. In place,
 * each file goes on knowing where it lies.
 */
function sources(root: string, inPlace: boolean): Plugin {
  const start = /new URL\('(\.\/[\w-]+\.ts)', import\.meta\.url\)/g
  return {
    name: 'sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        // a program's own first line would stand within
        let contents = (await readFile(path, 'utf8')).replace(/^#!.*/, '')
        for (const [text, file = ''] of contents.matchAll(start)) {
          // a module of such an address imports no other
          const alone = { inPlace, splitting: false }
          const { parts } = await bundled(root, resolve(dirname(path), file), alone)
          const url = `data:text/javascript;base64,${Buffer.from(parts[0].text).toString('base64')}`
          contents = contents.replace(text, () => `new URL('${url}')`)
        }
        if (inPlace) {
          const here = JSON.stringify(pathToFileURL(path).href)
          contents = contents.replaceAll('import.meta.url', () => here)
        }
        return { contents, loader: 'ts' }
      })
    },
  }
}

// `node scripts/bundle.ts NAME ENTRY FILE`: one program alone, for what measures it
if (import.meta.main) {
  const [name = '', entry = '', file = ''] = process.argv.slice(2)
  await writeFile(file, await bundle(rootFolder, { name, entry }))
}
