import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  endProcess,
  isAlive,
  outcomeOf,
  type ProcessIdentity,
  processesWithEnvironment,
  processNamespaceOf,
  sendSignal,
} from './process.ts'
import { type ClusterState, clusterDirectory, processMark, readState, writeState } from './state.ts'
import { subnetOf } from './subnet.ts'

const PATIENCE_MS = 15_000

/**
 * Ends a cluster, running, half started or crashed, and leaves nothing: no process, mount, control
 * group, network link or file. Throws when something is left all the same.
 */
export async function endCluster(name: string): Promise<void> {
  const directory = clusterDirectory(name)
  const state = readState(name)
  if (state !== undefined) {
    writeState({ ...state, phase: 'stopping' })
    await endProcesses(state)
    await removeLink(state)
    await removeControlGroups(state)
    await verifyNoMounts(directory)
  }
  await rm(directory, { recursive: true, force: true })
  await endWatchdog(state)
}

// nothing is worth a graceful end: whatever it would write goes away with the directory
async function endProcesses(state: ClusterState): Promise<void> {
  const holder = state.node?.holder
  const recorded = state.programs.map(({ process: identity }) => identity)
  // looked up while its first process lives, which takes all the others with it
  const holds = holder !== undefined && isAlive(holder)
  const namespace = holds ? processNamespaceOf(holder) : undefined
  const remaining = () => [
    ...recorded.filter(isAlive),
    ...processesWithEnvironment(processMark(state)),
    // what is about to end has no environment any more
    ...(namespace?.members() ?? []),
  ]
  try {
    if (holds) sendSignal(holder, 'SIGKILL')
    await killAll(state.name, remaining)
  } finally {
    namespace?.letGo()
  }
}

async function killAll(name: string, remaining: () => ProcessIdentity[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const left = remaining()
    if (left.length === 0) return
    for (const identity of left) sendSignal(identity, 'SIGKILL')
    if (performance.now() > end) {
      const pids = left.map(({ pid }) => pid).join(', ')
      throw new Error(`processes \`${pids}\` of the cluster \`${name}\` do not end`)
    }
    await delay(50)
  }
}

async function removeLink(state: ClusterState): Promise<void> {
  if (state.node === undefined) return
  const { hostLink } = subnetOf(state.node.index)
  const alias = `/sys/class/net/${hostLink}/ifalias`
  const owner = existsSync(alias) ? readFileSync(alias, 'utf8').trim() : ''
  if (owner !== '' && owner !== linkAlias(state)) return
  // the kernel takes it away with the namespace of its other end, but later
  await outcomeOf(['ip', 'link', 'delete', hostLink])
  if (existsSync(`/sys/class/net/${hostLink}`)) {
    throw new Error(`the network link \`${hostLink}\` is left, type \`ip link delete ${hostLink}\``)
  }
}

/** Written on the host's end of a cluster's link. */
export function linkAlias({ id }: Pick<ClusterState, 'id'>): string {
  return `jackstay-${id}`
}

/** The control group below which a cluster's containers live, one in each hierarchy. */
export function controlGroup({ id }: Pick<ClusterState, 'id'>): string {
  return `jackstay-${id}`
}

/** Folders of the control group hierarchies: one on version 2, one per controller on version 1. */
export async function controlGroupHierarchies(): Promise<string[]> {
  const root = '/sys/fs/cgroup'
  if (existsSync(join(root, 'cgroup.controllers'))) return [root]
  if (!existsSync(root)) return []
  const entries = await readdir(root, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name))
}

async function removeControlGroups(state: ClusterState): Promise<void> {
  if (state.mode !== 'node') return
  const end = performance.now() + PATIENCE_MS
  for (const hierarchy of await controlGroupHierarchies()) {
    const folder = join(hierarchy, controlGroup(state))
    // a group is busy until the kernel has buried the last process in it
    while (existsSync(folder) && performance.now() < end) {
      await removeGroup(folder).catch(() => delay(50))
    }
    if (existsSync(folder)) throw new Error(`the control group \`${folder}\` is left, remove it`)
  }
}

async function removeGroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) {
    if (entry.isDirectory()) await removeGroup(join(folder, entry.name))
  }
  await rmdir(folder)
}

async function verifyNoMounts(directory: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  const left = mounts.split('\n').filter((line) => line.includes(` ${directory}/`))
  if (left.length > 0) {
    throw new Error(`mounts below \`${directory}\` are left, unmount them:\n${left.join('\n')}`)
  }
}

async function endWatchdog(state: ClusterState | undefined): Promise<void> {
  const watchdog = state?.watchdog
  // when it is the watchdog that cleans up, it ends by itself
  if (watchdog === undefined || watchdog.pid === process.pid) return
  await endProcess(watchdog, 0)
}
