import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { build, type Plugin } from 'esbuild'

export interface Import {
  /** The importing file, relative to the root. */
  readonly file: string
  readonly specifier: string
  /** `type` leaves nothing behind at run time. */
  readonly kind: 'value' | 'type'
}

/**
 * Every import of the files, read by esbuild's parser: static, dynamic, re-exports, `require`.
 * Types are erased by any parser that runs code, so each file is read twice: as it is, and with
 * `import type` written as `import`; what only the second reading finds is a type import.
 */
export async function readImports(root: string, files: readonly string[]): Promise<Import[]> {
  const [values, all] = await Promise.all([
    imported(root, files, (source) => source),
    imported(root, files, withTypesAsValues),
  ])
  return [...all].flatMap(([file, specifiers]) =>
    [...new Set([...specifiers, ...typeQueries(`${root}/${file}`)])].map((specifier) => ({
      file,
      specifier,
      kind: values.get(file)?.has(specifier) ? ('value' as const) : ('type' as const),
    })),
  )
}

/** A replacement inside a comment or a string changes no import, so text is enough here. */
function withTypesAsValues(source: string): string {
  return source
    .replace(/\bimport(\s+)type\b(?=\s*[{*\w])(?!\s+from\b)/g, 'import$1')
    .replace(/\bexport(\s+)type\b(?=\s*[{*])/g, 'export$1')
}

/** `import('x').T` in the place of a type, which no reading of run-time code can see. */
function typeQueries(path: string): string[] {
  const source = withoutComments(readFileSync(path, 'utf8'))
  return [...source.matchAll(/\bimport\(\s*'([^'\n]+)'\s*\)\s*\./g)].map(([, name = '']) => name)
}

/** Code as far as text can tell: comments may talk about imports. */
export function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '')
}

async function imported(
  root: string,
  files: readonly string[],
  rewrite: (source: string) => string,
): Promise<Map<string, Set<string>>> {
  const found = new Map(files.map((file) => [file, new Set<string>()]))
  const plugin: Plugin = {
    name: 'imports',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path, kind, importer }) => {
        if (kind === 'entry-point') return undefined
        found.get(relative(root, importer))?.add(path)
        return { path, external: true }
      })
      onLoad({ filter: /./ }, ({ path }) => ({
        contents: rewrite(readFileSync(path, 'utf8')),
        loader: path.endsWith('x') ? 'tsx' : 'ts',
      }))
    },
  }
  await build({
    absWorkingDir: root,
    entryPoints: [...files],
    outdir: 'nowhere',
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'silent',
    // without this esbuild drops imports that only types use, as if nobody had written them
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [plugin],
  })
  return found
}
