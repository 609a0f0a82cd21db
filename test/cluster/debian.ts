import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder, ensureFolder } from './cache.ts'
import { outcomeOf, run } from './process.ts'
import { inStep, type OnProgress } from './progress.ts'

/** What runs containers and their network, with the libraries these need beyond a bare system. */
const nodePackages = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iptables',
  'nftables',
  'libbsd0',
  'libedit2',
  'libgmp10',
  'libip4tc2',
  'libip6tc2',
  'libjansson4',
  'libmd0',
  'libmnl0',
  'libnetfilter-conntrack3',
  'libnfnetlink0',
  'libnftables1',
  'libnftnl11',
  'libseccomp2',
  'libxtables12',
]

/** What the app image holds beneath node. */
const imagePackages = ['base-files', 'busybox', 'libc6', 'libgcc-s1', 'libstdc++6', 'netbase']

/** Container runtime and network tools, unpacked and not installed. */
export type NodeTools = {
  readonly containerd: string
  readonly ctr: string
  readonly runc: string
  readonly cniPlugins: string
  readonly environment: Readonly<Record<string, string>>
}

export async function nodeTools(onProgress: OnProgress, signal?: AbortSignal): Promise<NodeTools> {
  const root = await unpacked('node-tools', nodePackages, onProgress, signal)
  const triple = libraryTriple()
  const libraries = [`${root}/usr/lib/${triple}`, `${root}/lib/${triple}`]
  const programs = ['links', 'usr/bin', 'usr/sbin', 'sbin', 'bin'].map((path) => join(root, path))
  return {
    containerd: join(root, 'usr/bin/containerd'),
    ctr: join(root, 'usr/bin/ctr'),
    runc: join(root, 'usr/sbin/runc'),
    cniPlugins: join(root, 'usr/lib/cni'),
    environment: {
      PATH: [...programs, '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
      LD_LIBRARY_PATH: libraries.join(':'),
      XTABLES_LIBDIR: join(root, `usr/lib/${triple}/xtables`),
    },
  }
}

/** The root folder of the app image's lowest layer, as the packages lay it out. */
export function imageBase(onProgress: OnProgress, signal?: AbortSignal): Promise<string> {
  return unpacked('image-base', imagePackages, onProgress, signal)
}

export function libraryTriple(architecture: string = process.arch): string {
  return architecture === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
}

/*
 * Packages are pinned by the release of the distribution, not by revision: apt offers only a release's
 * newest revision, so a pinned one would stop working at the next security fix. `versions.txt` in the
 * folder tells which revisions a cache holds.
 */
async function unpacked(
  name: string,
  packages: readonly string[],
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { id, version } = await distribution()
  const recipe = JSON.stringify([packages, process.arch, 'links'])
  const folder = cacheFolder(name, `${id}${version}`, recipe)
  const fill = (unfinished: string) =>
    inStep(onProgress, `fetching Debian packages for ${name}`, () =>
      unpackInto(unfinished, packages, signal),
    )
  return ensureFolder(folder, fill, signal)
}

async function distribution(): Promise<{ id: string; version: string }> {
  const text = existsSync('/etc/os-release') ? await readFile('/etc/os-release', 'utf8') : ''
  const field = (name: string) =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? 'unknown'
  return { id: field('ID'), version: field('VERSION_ID') }
}

async function unpackInto(
  root: string,
  packages: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const archives = join(root, 'archives')
  await mkdir(archives)
  await download(archives, packages, signal)
  const names = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort()
  for (const name of names) await run(['dpkg', '-x', join(archives, name), root], { signal })
  await writeFile(join(root, 'versions.txt'), `${names.join('\n')}\n`)
  await rm(archives, { recursive: true })
  await linkAlternatives(root)
}

async function download(
  folder: string,
  packages: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // apt's own unprivileged user cannot write into the cache
  const command = ['apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'download', ...packages]
  const first = await outcomeOf(command, { cwd: folder, signal })
  if (first.code === 0) return
  // no package lists yet, or lists so old that what they name is gone
  await run(['apt-get', '-qq', 'update'], { signal })
  await run(command, { cwd: folder, signal })
}

// an installation would make these links through update-alternatives
async function linkAlternatives(root: string): Promise<void> {
  if (!existsSync(join(root, 'usr/sbin/xtables-nft-multi'))) return
  await mkdir(join(root, 'links'))
  for (const name of ['iptables', 'ip6tables']) {
    for (const suffix of ['', '-save', '-restore']) {
      const link = join(root, 'links', `${name}${suffix}`)
      await symlink(join('..', 'usr/sbin/xtables-nft-multi'), link)
    }
  }
}
