import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { cacheRoot } from './cache.ts'
import { processIdentity } from './process.ts'

/** A program of a cluster and how to start it again. */
const program = z.object({ name: z.string(), argv: z.array(z.string()), process: processIdentity })
export type Program = z.infer<typeof program>

const ports = z.object({
  api: z.int(),
  etcd: z.int(),
  etcdPeer: z.int(),
  controllerManager: z.int(),
  scheduler: z.int(),
})
export type Ports = z.infer<typeof ports>

/** What a cluster leaves on disk, so that any later process can use it, restart it and end it. */
const clusterState = z.object({
  version: z.literal(1),
  /** Stands in the environment of each of its processes, which finds even those nobody recorded. */
  id: z.string(),
  name: z.string(),
  mode: z.enum(['control-plane', 'node']),
  phase: z.enum(['starting', 'up', 'stopping']),
  attached: z.boolean(),
  owner: processIdentity,
  watchdog: processIdentity.optional(),
  createdAt: z.string(),
  ports,
  kubectl: z.string(),
  controllers: z.boolean(),
  /** Of a cluster with a node: the number of its subnet, who holds its namespaces, its tools. */
  node: z
    .object({
      index: z.int(),
      holder: processIdentity,
      ctr: z.string(),
      environment: z.record(z.string(), z.string()),
    })
    .optional(),
  programs: z.array(program),
})
export type ClusterState = z.infer<typeof clusterState>

const NAME = /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/

export function checkName(name: string): string {
  if (NAME.test(name)) return name
  throw new Error(
    `\`${name}\` is no cluster name, use up to 40 lower case letters, digits and dashes`,
  )
}

function clustersFolder(): string {
  return join(cacheRoot(), 'clusters')
}

export function clusterDirectory(name: string): string {
  return join(clustersFolder(), checkName(name))
}

/** The environment entry that marks every process of the cluster. */
export function processMark({ id }: Pick<ClusterState, 'id'>): string {
  return `JACKSTAY_TEST_CLUSTER=${id}`
}

export function readState(name: string): ClusterState | undefined {
  const path = join(clusterDirectory(name), 'state.json')
  if (!existsSync(path)) return undefined
  return clusterState.parse(JSON.parse(readFileSync(path, 'utf8')))
}

export function writeState(state: ClusterState): ClusterState {
  const directory = clusterDirectory(state.name)
  mkdirSync(directory, { recursive: true })
  const unfinished = join(directory, `state.json.${process.pid}`)
  writeFileSync(unfinished, `${JSON.stringify(state, null, 2)}\n`)
  // whole or not at all: after a crash this file is what cleans up
  renameSync(unfinished, join(directory, 'state.json'))
  return state
}

/** Reads, changes and writes at one go: several starts at once in one process lose nothing. */
export function updateState(
  name: string,
  change: (state: ClusterState) => ClusterState,
): ClusterState {
  const state = readState(name)
  if (state === undefined) throw new Error(`the cluster \`${name}\` is gone, start it again`)
  return writeState(change(state))
}

/** Names of all clusters that left a directory, running or not. */
export function clusterNames(): string[] {
  if (!existsSync(clustersFolder())) return []
  const entries = readdirSync(clustersFolder(), { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
    .map(({ name }) => name)
}
