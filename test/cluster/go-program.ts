import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, ensureFolder, folderText } from './cache.ts'
import { underLock } from './lock.ts'
import { run } from './process.ts'
import { inStep, type OnProgress } from './progress.ts'
import { versions } from './versions.ts'

/** A program built from one of the modules in `go/`. */
export type GoProgram = keyof typeof versions

type Recipe = {
  /** What is built: the wrapper itself, or a command that its go.mod names as a tool. */
  readonly target: string
  readonly ldflags: string
  /** Names under which one binary is called. */
  readonly links: readonly string[]
  /** What to expect of a first build on two cores, in words. */
  readonly firstTime: string
}

const stamped = (path: string) => {
  const [major, minor] = versions.kubernetes.split('.')
  const facts = [`gitVersion=v${versions.kubernetes}`, `gitMajor=${major}`, `gitMinor=${minor}`]
  return [...facts, 'gitTreeState=clean'].map((fact) => `-X ${path}.${fact}`).join(' ')
}

const recipes: Readonly<Record<GoProgram, Recipe>> = {
  kubernetes: {
    target: '.',
    ldflags: `-s -w ${stamped('k8s.io/component-base/version')} ${stamped('k8s.io/client-go/pkg/version')}`,
    links: [
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kubelet',
      'kube-proxy',
      'kubectl',
    ],
    firstTime: 'about six minutes',
  },
  etcd: { target: '.', ldflags: '-s -w', links: [], firstTime: 'about a minute' },
  coredns: { target: '.', ldflags: '-s -w', links: [], firstTime: 'about two minutes' },
  alertmanager: {
    target: 'github.com/prometheus/alertmanager/cmd/alertmanager',
    ldflags: '-s -w',
    links: [],
    firstTime: 'about a minute',
  },
  pause: { target: '.', ldflags: '-s -w', links: [], firstTime: 'a few seconds' },
}

const modules = join(dirname(fileURLToPath(import.meta.url)), 'go')

/** The folder with the program's binary, built now if it is not in the cache. */
export async function goProgram(
  program: GoProgram,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const recipe = recipes[program]
  const step = `building ${program} ${versions[program]} (${recipe.firstTime}, once)`
  const fill = (unfinished: string) =>
    inStep(onProgress, step, () => build(program, recipe, unfinished, signal))
  return ensureFolder(await folderOf(program), fill, signal)
}

/** Whether all of them are in the cache, so that no Go toolchain is needed. */
export async function areBuilt(programs: readonly GoProgram[]): Promise<boolean> {
  return (await Promise.all(programs.map(folderOf))).every((folder) => existsSync(folder))
}

async function folderOf(program: GoProgram): Promise<string> {
  const source = await folderText(join(modules, program))
  const made = JSON.stringify([source, recipes[program], process.platform, process.arch])
  return cacheFolder(program, versions[program], made)
}

async function build(
  program: GoProgram,
  { target, ldflags, links }: Recipe,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const command = ['go', 'build', '-trimpath', '-ldflags', ldflags, '-o', join(folder, program)]
  // one build at a time: two at once on a small machine take as long and twice the memory
  await underLock(
    'jackstay go build',
    () => run([...command, target], { cwd: join(modules, program), env: goEnvironment(), signal }),
    signal,
  )
  for (const link of links) await symlink(program, join(folder, link))
}

// what the user has set for other projects must not change what is built
export function goEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly -buildvcs=false',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  }
}
