import { existsSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { controlGroup, controlGroupHierarchies, linkAlias } from './end.ts'
import { underLock } from './lock.ts'
import { childrenOf, identityOf, type ProcessIdentity, run } from './process.ts'
import { enterPrefix, startProgram } from './program.ts'
import { type ClusterState, clusterDirectory, readState, updateState } from './state.ts'
import { freeIndex, subnetOf } from './subnet.ts'

export type NodeMeans = {
  readonly pause: string
  readonly ctr: string
  readonly environment: Readonly<Record<string, string>>
}

/** Folders of the host that a cluster sees its own version of. */
const OWN_FOLDERS = ['/run', '/var/lib', '/var/log']

/*
 * The kubelet sets these for the whole machine. Inside, files of the same name take their place, so
 * that the machine stays as it is and clusters side by side cannot restore each other's values.
 */
const MACHINE_SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
]

/**
 * Makes the network, mount and process namespaces that the cluster lives in, its link to the host and
 * its control groups. Ending the first process of the process namespace ends all that is in it.
 */
export async function makeNamespaces(
  { name }: ClusterState,
  means: NodeMeans,
): Promise<ClusterState> {
  const directory = clusterDirectory(name)
  const covered = OWN_FOLDERS.find((folder) => directory.startsWith(`${folder}/`))
  if (covered !== undefined) {
    throw new Error(
      `the cache cannot be below \`${covered}\`, set XDG_CACHE_HOME to another folder`,
    )
  }
  await mkdir(join(directory, 'log'), { recursive: true })
  const unshare = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  startProgram(name, 'namespaces', [...unshare, means.pause])
  const holder = await holderOf(name, means.pause)
  const state = await underLock('subnets', () => claimSubnet(name, holder, means))
  await makeControlGroups(state)
  await furnish(state, directory)
  return state
}

async function holderOf(name: string, pause: string): Promise<ProcessIdentity> {
  const unshare = readState(name)?.programs.find((program) => program.name === 'namespaces')
  const end = performance.now() + 10_000
  while (performance.now() < end) {
    const [child] = childrenOf(unshare?.process.pid ?? 0)
    const identity = child === undefined ? undefined : identityOf(child)
    // it has its own /proc before it becomes that program
    if (identity !== undefined && runs(identity.pid, pause)) return identity
    await delay(10)
  }
  throw new Error(
    'the namespaces are not made within 10 s, does `unshare --mount --net --pid` work?',
  )
}

function runs(pid: number, program: string): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)) === basename(program)
  } catch {
    return false
  }
}

async function claimSubnet(
  name: string,
  holder: ProcessIdentity,
  { ctr, environment }: NodeMeans,
): Promise<ClusterState> {
  const links = await readdir('/sys/class/net')
  const addresses = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map(({ address }) => address),
  )
  const index = freeIndex(links, addresses)
  const { hostLink, hostAddress } = subnetOf(index)
  // recorded before it is made: what a crash leaves is found by the record
  const node = { index, holder, ctr, environment }
  const state = updateState(name, (before) => ({ ...before, node }))
  const peer = ['type', 'veth', 'peer', 'name', 'node0', 'netns', `${holder.pid}`]
  await run(['ip', 'link', 'add', hostLink, ...peer])
  // a crashed cluster's index may be taken by another: the alias says whose link it is
  await run(['ip', 'link', 'set', hostLink, 'alias', linkAlias(state)])
  await run(['ip', 'address', 'add', `${hostAddress}/30`, 'dev', hostLink])
  await run(['ip', 'link', 'set', hostLink, 'up'])
  return state
}

async function makeControlGroups(state: ClusterState): Promise<void> {
  for (const hierarchy of await controlGroupHierarchies()) {
    const folder = join(hierarchy, controlGroup(state))
    await mkdir(folder, { recursive: true })
    // version 1: a new group may run nowhere until it is told where
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (!existsSync(join(folder, file)) || !existsSync(join(hierarchy, file))) continue
      await writeFile(join(folder, file), await readFile(join(hierarchy, file)))
    }
    // version 2: what may be limited below has to be passed on
    if (existsSync(join(hierarchy, 'cgroup.controllers'))) {
      const controllers = (await readFile(join(hierarchy, 'cgroup.controllers'), 'utf8')).trim()
      const passedOn = controllers.split(' ').map((controller) => `+${controller}`)
      await writeFile(join(hierarchy, 'cgroup.subtree_control'), passedOn.join(' '))
    }
  }
}

// what the namespace sees in the place of the host's folders and settings, and its network
async function furnish(state: ClusterState, directory: string): Promise<void> {
  const settings = join(directory, 'settings')
  for (const setting of MACHINE_SETTINGS) {
    await mkdir(dirname(join(settings, setting)), { recursive: true })
    await writeFile(join(settings, setting), await readFile(join('/proc/sys', setting)))
  }
  await Promise.all(
    ['var-lib', 'var-log'].map((folder) => mkdir(join(directory, folder), { recursive: true })),
  )
  const { hostAddress, nodeAddress } = subnetOf(state.node?.index ?? 0)
  const script = `set -eu
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
mount --bind '${directory}/var-lib' /var/lib
mount --bind '${directory}/var-log' /var/log
for setting in ${MACHINE_SETTINGS.join(' ')}; do
  mount --bind "${settings}/$setting" "/proc/sys/$setting"
done
ip link set lo up
ip address add ${nodeAddress}/30 dev node0
ip link set node0 up
ip route add default via ${hostAddress}
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
`
  await run([...enterPrefix(state), '/bin/sh', '-c', script])
}
