import { readFile, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { launched } from './launcher.ts'
import { lean } from './lean.ts'
import { nodeCheck, type Program } from './programs.ts'
import { rootFolder } from './root.ts'

/** Bundles one program into one ES module without any static import. */
export async function bundle(root: string, program: Program): Promise<string> {
  const { name, entry, inPlace = false } = program
  const text = launched(await bundled(root, entry, inPlace))
  return `#!/usr/bin/env node\n${nodeCheck(name)}\n${text}`
}

async function bundled(root: string, entry: string, inPlace: boolean): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
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
  const [output] = result.outputFiles
  if (output === undefined) throw new Error(`\`${entry}\` gave no bundle`)
  return output.text
}

/**
 * Modules of Node, fetched when they are first used: static imports would be linked before the
 * first statement runs, and fail there on a Node that lacks one of them.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./ }, ({ path }) => {
      if (!isBuiltin(path)) return undefined
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
          const code = await bundled(root, resolve(dirname(path), file), inPlace)
          const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
          contents = contents.replace(text, `new URL('${url}')`)
        }
        if (inPlace) {
          contents = contents.replaceAll('import.meta.url', `'${pathToFileURL(path).href}'`)
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
