import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { controlGroup, controlGroupHierarchies } from './end.ts'
import { processesWithEnvironment, processNamespaceOf } from './process.ts'
import { type ClusterState, clusterDirectory, processMark } from './state.ts'
import { subnetOf } from './subnet.ts'

/** Looks at the machine, and not at what the harness recorded, for anything of a cluster. */
export type Traces = () => Promise<string[]>

/** Call it while the cluster is up; what it returns tells later what is left of it. */
export function tracesOf(state: ClusterState): Traces {
  const namespace = state.node === undefined ? undefined : processNamespaceOf(state.node.holder)
  return async () => [
    ...processesWithEnvironment(processMark(state)).map(({ pid }) => `process ${pid}`),
    // containers have an environment of their own, but no other namespace tree
    ...(namespace?.members() ?? []).map(({ pid }) => `process ${pid} in the cluster's namespace`),
    ...linksOf(state),
    ...(await groupsOf(state)),
    ...readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(clusterDirectory(state.name))),
    ...(existsSync(clusterDirectory(state.name)) ? [clusterDirectory(state.name)] : []),
  ]
}

function linksOf({ node }: ClusterState): string[] {
  if (node === undefined) return []
  const { hostLink } = subnetOf(node.index)
  return existsSync(`/sys/class/net/${hostLink}`) ? [`link ${hostLink}`] : []
}

async function groupsOf(state: ClusterState): Promise<string[]> {
  const hierarchies = await controlGroupHierarchies()
  return hierarchies.map((folder) => join(folder, controlGroup(state))).filter(existsSync)
}
