import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, normalize } from 'node:path'
import { type Import, withoutComments } from './imports.ts'
import { type House, type Package, packageAt } from './packages.ts'
import { emptyWords, mayImport, pipelineLines, readmeLines, roomOf } from './table.ts'

/** One rule over the house: the violations it finds, one line each. */
export type Rule = (house: House, imports: readonly Import[]) => string[]

const exact = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/
const test = /\.(test|e2e)\.ts$/

/** `@scope/name/door` → `@scope/name`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const everyPackageHasARoom: Rule = ({ packages }) =>
  packages
    .filter(({ folder }) => roomOf(folder) === undefined)
    .map(({ folder }) => `${folder}: no row of the import table names it, add one`)

const manifestsFollowTheTable: Rule = ({ packages }) =>
  packages.flatMap(({ folder, dependencies }) =>
    Object.keys(dependencies).flatMap((name) => {
      const target = packages.find((one) => one.name === name)
      // a type-only import needs the dependency declared too
      if (target === undefined || mayImport(folder, target.folder, 'type')) return []
      return [`${folder}/package.json: depends on ${target.folder}, which the table forbids`]
    }),
  )

const importsFollowTheTable: Rule = ({ packages }, imports) =>
  imports.flatMap(({ file, specifier, kind }) => {
    const from = packageAt(file, packages)
    const to = specifier.startsWith('.')
      ? packageAt(normalize(join(dirname(file), specifier)), packages)
      : packages.find(({ name }) => name === packageName(specifier))
    if (from === undefined || to === undefined || mayImport(from.folder, to.folder, kind)) return []
    const only = mayImport(from.folder, to.folder, 'type') ? ' except its types' : ''
    return [`${file}: imports \`${specifier}\`; ${from.folder} may not import ${to.folder}${only}`]
  })

const packagesAreEnteredByDoors: Rule = ({ packages }, imports) =>
  imports.flatMap(({ file, specifier }) => {
    const from = packageAt(file, packages)
    if (from === undefined) return []
    if (specifier.startsWith('.')) {
      const path = normalize(join(dirname(file), specifier))
      if (path.startsWith(`${from.folder}/`)) return []
      // scripts run before anything is installed as a package; everybody else uses doors
      if (from.folder === 'scripts') return []
      return [`${file}: \`${specifier}\` leaves the package, import it through its door`]
    }
    const to = packages.find(({ name }) => name === packageName(specifier))
    if (to === undefined || to.folder === 'scripts') return []
    const door = `.${specifier.slice(to.name.length)}`
    if (to.exports !== undefined && door in to.exports) return []
    return [`${file}: \`${specifier}\` is no door of ${to.folder}, add it to its \`exports\``]
  })

const doorsAreNamed: Rule = ({ root, packages }) =>
  packages
    .filter(({ folder }) => folder !== 'scripts')
    .flatMap(({ folder, exports }) => {
      if (exports === undefined)
        return [`${folder}/package.json: has no \`exports\`, list its doors or write {}`]
      return Object.entries(exports).flatMap(([door, file]) => {
        const at = `${folder}/package.json: the door \`${door}\``
        if (door.includes('*')) return [`${at} is a wildcard, name each door`]
        if (typeof file !== 'string') return [`${at} is not one file, name one`]
        return existsSync(join(root, folder, file))
          ? []
          : [`${at} leads to \`${file}\`, no such file`]
      })
    })

const filesAreNamedByTheDomain: Rule = ({ paths, packages }) =>
  paths.flatMap((path) => {
    if (packageAt(path, packages) === undefined) return []
    const [word = ''] = basename(path).split('.')
    if (emptyWords.has(word)) return [`${path}: \`${word}\` says nothing, use a word of the domain`]
    if (!/\.(ts|tsx|mjs|js)$/.test(path) || word !== 'index') return []
    return [`${path}: no index files, name the door after its word`]
  })

const workspacesAreComplete: Rule = ({ packages, workspaces, root }) => {
  const folders = packages.map(({ folder }) => folder).filter((folder) => folder !== 'scripts')
  return [
    ...folders
      .filter((folder) => !workspaces.includes(folder))
      .map((folder) => `package.json: \`workspaces\` misses ${folder}`),
    ...workspaces
      .filter((folder) => !existsSync(join(root, folder, 'package.json')))
      .map((folder) => `package.json: \`workspaces\` names ${folder}, which has no package.json`),
  ]
}

const readmesAreShort: Rule = ({ root, packages }) =>
  packages
    .filter(({ folder }) => folder !== 'scripts')
    .flatMap(({ folder }) => {
      const path = join(root, folder, 'README.md')
      if (!existsSync(path)) return [`${folder}: has no README.md, say what it is for in 20 lines`]
      const lines = lineCount(path)
      if (lines <= readmeLines) return []
      return [`${folder}/README.md: ${lines} lines, keep it within ${readmeLines}`]
    })

const dependenciesArePinned: Rule = ({ packages }) =>
  packages.flatMap(({ folder, dependencies }) =>
    Object.entries(dependencies)
      .filter(([, version]) => !exact.test(version))
      .map(([name, version]) => {
        const manifest = folder === 'scripts' ? 'package.json' : `${folder}/package.json`
        return `${manifest}: \`${name}\` is \`${version}\`, pin one exact version`
      }),
  )

const importsAreDeclared: Rule = ({ packages, rootDependencies }, imports) =>
  imports.flatMap(({ file, specifier }) => {
    const from = packageAt(file, packages)
    if (from === undefined || specifier.startsWith('.') || specifier.startsWith('data:')) return []
    if (isBuiltin(specifier)) {
      if (specifier.startsWith('node:')) return []
      return [`${file}: \`${specifier}\` is a module of Node, write \`node:${specifier}\``]
    }
    const name = packageName(specifier)
    if (name === from.name || name in from.dependencies) return []
    if (test.test(file) && name in rootDependencies) return []
    // workspaces are installed at the root, where scripts are
    if (from.folder === 'scripts' && packages.some((one) => one.name === name)) return []
    return [`${file}: imports \`${name}\`, which ${from.folder}/package.json does not declare`]
  })

const dependenciesAreExplained: Rule = ({ root, packages }) => {
  const page = 'docs/adr/dependencies.md'
  const path = join(root, page)
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  const ours = new Set(packages.map(({ name }) => name))
  const names = new Set(packages.flatMap(({ dependencies }) => Object.keys(dependencies)))
  return [...names]
    .filter((name) => !ours.has(name))
    .filter((name) => !lines.some((line) => line.startsWith(`| \`${name}\` |`)))
    .map((name) => `${page}: has no line for \`${name}\``)
}

const thePipelineFitsOnAPage: Rule = ({ root }) => {
  const page = 'control-plane/mediator/pipeline.ts'
  const path = join(root, page)
  if (!existsSync(path) || lineCount(path) <= pipelineLines) return []
  return [`${page}: ${lineCount(path)} lines, it is the map and has at most ${pipelineLines}`]
}

const importsAreLiteral: Rule = ({ root, packages }) =>
  packages
    .filter(({ folder }) => !/^(test|lab|scripts)\b/.test(folder))
    .flatMap(({ files }: Package) => files)
    .filter((file) => !test.test(file))
    .filter((file) =>
      /\bimport\(\s*[^\s'"`)]/.test(withoutComments(readFileSync(join(root, file), 'utf8'))),
    )
    .map((file) => `${file}: imports a computed name, which no check can see; write it out`)

function lineCount(path: string): number {
  return readFileSync(path, 'utf8').trimEnd().split('\n').length
}

export const rules: readonly Rule[] = [
  everyPackageHasARoom,
  workspacesAreComplete,
  manifestsFollowTheTable,
  importsFollowTheTable,
  packagesAreEnteredByDoors,
  doorsAreNamed,
  filesAreNamedByTheDomain,
  readmesAreShort,
  dependenciesArePinned,
  importsAreDeclared,
  importsAreLiteral,
  dependenciesAreExplained,
  thePipelineFitsOnAPage,
]
