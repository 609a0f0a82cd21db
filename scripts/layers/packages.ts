import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface Package {
  /** Relative to the root; `scripts` stands for the root package itself. */
  readonly folder: string
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>> | undefined
  /** Of every kind, by name. */
  readonly dependencies: Readonly<Record<string, string>>
  /** Code files, relative to the root. */
  readonly files: readonly string[]
}

export interface House {
  readonly root: string
  readonly packages: readonly Package[]
  /** As the root manifest lists them. */
  readonly workspaces: readonly string[]
  /** Declared by the root: for scripts, and for tests anywhere. */
  readonly rootDependencies: Readonly<Record<string, string>>
  /** Every file and folder, relative to the root. */
  readonly paths: readonly string[]
}

const passedOver = new Set(['node_modules', 'dist', 'coverage'])
const code = /\.(ts|tsx|mts|mjs|js|jsx|cjs)$/

/** Reads manifests and files below `root`. */
export function readHouse(root: string): House {
  const paths = walk(root, root)
  const manifests = paths.filter((path) => path.endsWith('/package.json'))
  const folders = manifests.map((path) => path.slice(0, -'/package.json'.length))
  const rootManifest = readManifest(join(root, 'package.json'))
  const rootDependencies = dependenciesOf(rootManifest)
  const packages = folders.map((folder) => readPackage(root, folder, folders, paths))
  const scripts: Package = {
    folder: 'scripts',
    name: text(rootManifest.name),
    exports: undefined,
    dependencies: rootDependencies,
    files: paths.filter((path) => path.startsWith('scripts/') && code.test(path)),
  }
  const { workspaces } = rootManifest
  return {
    root,
    packages: [...packages, scripts],
    workspaces: Array.isArray(workspaces) ? workspaces.map(String) : [],
    rootDependencies,
    paths,
  }
}

/** The package a file lies in: the one with the longest folder. */
export function packageAt(path: string, packages: readonly Package[]): Package | undefined {
  return packages
    .filter(({ folder }) => path.startsWith(`${folder}/`))
    .toSorted((a, b) => b.folder.length - a.folder.length)[0]
}

function readPackage(
  root: string,
  folder: string,
  folders: readonly string[],
  paths: readonly string[],
): Package {
  const manifest = readManifest(join(root, folder, 'package.json'))
  const nested = folders.filter((other) => other.startsWith(`${folder}/`))
  const own = (path: string) => !nested.some((other) => path.startsWith(`${other}/`))
  return {
    folder,
    name: text(manifest.name),
    exports: isRecord(manifest.exports) ? manifest.exports : undefined,
    dependencies: dependenciesOf(manifest),
    files: paths.filter((path) => path.startsWith(`${folder}/`) && code.test(path) && own(path)),
  }
}

function dependenciesOf(manifest: Readonly<Record<string, unknown>>): Record<string, string> {
  const kinds = [
    'dependencies',
    'devDependencies',
    'optionalDependencies',
    'peerDependencies',
  ] as const
  const entries = kinds.flatMap((kind) => {
    const value = manifest[kind]
    return isRecord(value) ? Object.entries(value) : []
  })
  return Object.fromEntries(entries.map(([name, version]) => [name, text(version)]))
}

function readManifest(path: string): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) return {}
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return isRecord(value) ? value : {}
}

function walk(root: string, folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (passedOver.has(entry.name) || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    return entry.isDirectory()
      ? [relative(root, path), ...walk(root, path)]
      : [relative(root, path)]
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
