import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder, ensureFolder, folderText } from './cache.ts'
import { goEnvironment, missingGo } from './go-toolchain.ts'
import { underLock } from './lock.ts'
import { run } from './process.ts'
import { inStep, type OnProgress } from './progress.ts'

/** A program that is built once from a Go module of ours and then lies in the cache. */
export type GoRecipe = {
  /** The binary's name. */
  readonly name: string
  /** Of what is built, for people: a change in the module's files is another program anyway. */
  readonly version: string
  /** The folder with its go.mod, as a path. */
  readonly module: string
  /** What is built: `.`, a package below, or a command that the go.mod names as a tool. */
  readonly target: string
  readonly ldflags?: string
  /** Names under which one binary is called. */
  readonly links?: readonly string[]
  /** What to expect of a first build on two cores, in words. */
  readonly firstTime: string
}

/**
 * The path of the binary, built now if it is not in the cache; its other names stand beside it.
 *
 * @throws Error with the end of what the compiler said
 */
export async function goProgram(
  recipe: GoRecipe,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const { name, version, firstTime } = recipe
  const step = `building ${name} ${version} (${firstTime}, once)`
  const fill = (unfinished: string) =>
    inStep(onProgress, step, () => build(recipe, unfinished, signal))
  return join(await ensureFolder(await folderOf(recipe), fill, signal), name)
}

/** Whether all of them are in the cache, so that no Go toolchain is needed. */
export async function areBuilt(recipes: readonly GoRecipe[]): Promise<boolean> {
  return (await Promise.all(recipes.map(folderOf))).every((folder) => existsSync(folder))
}

/** Why these programs cannot be had here, as the reason of a skip; undefined where they can. */
export async function unbuildable(
  recipes: readonly GoRecipe[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | undefined> {
  if (await areBuilt(recipes)) return undefined
  const missing = missingGo(environment)
  return missing && `needs ${missing.what} (${missing.typeInstead})`
}

async function folderOf(recipe: GoRecipe): Promise<string> {
  const { target, ldflags, links, firstTime } = whole(recipe)
  const source = await folderText(recipe.module)
  // the order of these names is part of the key of everything that lies in caches already
  const how = { target, ldflags, links, firstTime }
  const made = JSON.stringify([source, how, process.platform, process.arch])
  return cacheFolder(recipe.name, recipe.version, made)
}

function whole(recipe: GoRecipe): Required<GoRecipe> {
  return { ldflags: '-s -w', links: [], ...recipe }
}

/** Six minutes for the largest on an idle machine; several times that on a busy one. */
const buildMs = 45 * 60_000

async function build(
  recipe: GoRecipe,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, module, target, ldflags, links } = whole(recipe)
  const command = ['go', 'build', '-trimpath', '-ldflags', ldflags, '-o', join(folder, name)]
  // one build at a time: two at once on a small machine take as long and twice the memory
  await underLock(
    'jackstay go build',
    () =>
      run([...command, target], { cwd: module, env: goEnvironment(), signal, timeoutMs: buildMs }),
    signal,
  )
  for (const link of links) await symlink(name, join(folder, link))
}
