import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { issueCertificate } from './certificates.ts'
import { endCluster } from './end.ts'
import { areBuilt } from './go-program.ts'
import { coredns, etcd, kubernetes, pause } from './go-recipes.ts'
import { isInUse } from './in-use.ts'
import { readServer, writeKubeconfigFile } from './kubeconfig.ts'
import { type Layout, layoutOf, type Mode, portsFor } from './layout.ts'
import { underLock } from './lock.ts'
import { importImage, prepareNode, startNode } from './node.ts'
import { readAuthority } from './pki.ts'
import { identityOf } from './process.ts'
import { enterPrefix, restartProgram, stopProgram } from './program.ts'
import type { OnProgress } from './progress.ts'
import { type Availability, availabilityIn, controlPlanePrograms, missingError } from './source.ts'
import { apiServerReady, startControlPlane } from './start.ts'
import { type ClusterState, checkName, readState, updateState, writeState } from './state.ts'
import { startWatchdog } from './watchdog.ts'

export type { Missing } from './go-toolchain.ts'
export type { Mode } from './layout.ts'
export type { OnProgress, Progress } from './progress.ts'
export type { Availability, Source } from './source.ts'

export type UpOptions = {
  /** Lower case letters, digits and dashes; a fresh one when not given. */
  readonly name?: string
  /** Only the control plane on loopback ports (works unprivileged), or with a node that runs Pods. */
  readonly mode?: Mode
  /** Added after the harness's own flags, so they win. */
  readonly apiServerFlags?: readonly string[]
  /** Whether the cluster ends with this process, however that ends; true unless said otherwise. */
  readonly attached?: boolean
  readonly signal?: AbortSignal
}

/** Who a kubeconfig is for: the API server sees exactly this user and these groups. */
export type KubeconfigOwner = {
  /** Names the file, unless `path` does. */
  readonly name: string
  readonly user: string
  readonly groups?: readonly string[]
  readonly path?: string
}

export type Cluster = {
  readonly name: string
  readonly mode: Mode
  /** Everything of the cluster; gone after `down`. */
  readonly directory: string
  /** Path of the administrator's kubeconfig (group `system:masters`). */
  readonly kubeconfig: string
  /** URL of the API server. */
  readonly server: string
  readonly caPem: string
  /** Path of a kubectl of the server's version. */
  readonly kubectl: string
  /** Path of the API server's audit log, one event a line. */
  readonly auditLog: string
  /** Whether controller-manager and scheduler run. */
  readonly controllers: boolean
  readonly nodeName?: string
  /** Address of the host as Pods and the API server see it. */
  readonly hostAddress: string
  issueKubeconfig(owner: KubeconfigOwner): Promise<string>
  /** A kubeconfig whose bearer token is read from a file, again and again. */
  writeKubeconfig(options: { path: string; tokenFile: string }): Promise<string>
  stopApiServer(): Promise<void>
  /** Starts it again on the same data and returns when it is ready. */
  startApiServer(signal?: AbortSignal): Promise<void>
  /** The command as it must be run to find itself inside the cluster's namespaces; paths absolute. */
  enter(command: readonly string[]): string[]
  /** Loads an OCI archive into the node, see `@jackstay/cluster/image`. */
  importImage(archive: string): Promise<void>
  down(): Promise<void>
}

/** What can be had on this machine, and what stands in the way of the rest. */
export async function availability(): Promise<Availability> {
  const built = await areBuilt([etcd, kubernetes, coredns, pause])
  return availabilityIn(process.env, process.getuid?.() === 0, built)
}

/**
 * Brings a cluster up, building first what the cache lacks. What a crashed cluster of the same name
 * left is cleaned up; one that runs is an error.
 */
export async function up(
  options: UpOptions = {},
  onProgress: OnProgress = () => {},
): Promise<Cluster> {
  const mode = options.mode ?? 'control-plane'
  const name = checkName(options.name ?? `test-${randomBytes(4).toString('hex')}`)
  const found = await availability()
  const { source, node } = found
  if (source === 'none' || (mode === 'node' && !node)) throw missingError(found)
  if (source === 'kubeconfig') {
    const { existingCluster } = await import('./existing-cluster.ts')
    return existingCluster(process.env.JACKSTAY_TEST_KUBECONFIG ?? '', mode)
  }
  const { signal, apiServerFlags = [] } = options
  const programs = await controlPlanePrograms(source, onProgress, signal)
  const nodePrograms = mode === 'node' ? await prepareNode(onProgress, signal) : undefined
  const state = await reserve(name, mode, options.attached ?? true, {
    kubectl: programs.kubectl,
    controllers: programs.controllerManager !== undefined,
  })
  try {
    const start = { programs, apiServerFlags, onProgress, signal }
    if (nodePrograms === undefined) await startControlPlane(state, start)
    else await startNode(state, nodePrograms, start)
    return clusterOf(updateState(name, (started) => ({ ...started, phase: 'up' })))
  } catch (error) {
    await endCluster(name)
    throw error
  }
}

/** Reopens a cluster that another process brought up. */
export async function attach(name: string): Promise<Cluster> {
  const state = readState(name)
  if (state === undefined || state.phase !== 'up') {
    throw new Error(
      `no cluster \`${name}\` is up, start it with \`npm run cluster -- up --name ${name}\``,
    )
  }
  return clusterOf(state)
}

/** Writes the state that everything later is cleaned up by, before the first process is started. */
async function reserve(
  name: string,
  mode: Mode,
  attached: boolean,
  found: Pick<ClusterState, 'kubectl' | 'controllers'>,
): Promise<ClusterState> {
  const owner = identityOf(process.pid)
  if (owner === undefined) throw new Error('this process is not in /proc, is it mounted?')
  return underLock(`cluster ${name}`, async () => {
    const present = readState(name)
    if (present !== undefined && isInUse(present)) {
      throw new Error(
        `a cluster \`${name}\` is up already, type \`npm run cluster -- down --name ${name}\``,
      )
    }
    await endCluster(name)
    const id = randomBytes(6).toString('hex')
    const state = writeState({
      ...{ version: 1, id, name, mode, phase: 'starting', attached, owner },
      createdAt: new Date().toISOString(),
      ports: await portsFor(mode),
      programs: [],
      ...found,
    })
    return attached ? writeState({ ...state, watchdog: startWatchdog(name, id) }) : state
  })
}

async function clusterOf(state: ClusterState): Promise<Cluster> {
  const layout = layoutOf(state)
  const { name, mode, directory, kubeconfig, server, auditLog, nodeName, subnet } = layout
  const { caPem } = await readServer(kubeconfig)
  return {
    ...{ name, mode, directory, kubeconfig, server, caPem, auditLog },
    kubectl: state.kubectl,
    controllers: state.controllers,
    hostAddress: subnet?.hostAddress ?? '127.0.0.1',
    ...(mode === 'node' ? { nodeName } : {}),
    issueKubeconfig: (owner) => issueKubeconfig(layout, caPem, owner),
    writeKubeconfig: ({ path, tokenFile }) =>
      writeKubeconfigFile(path, { server, caPem, user: 'token', credentials: { tokenFile } }),
    stopApiServer: () => stopProgram(name, 'kube-apiserver'),
    startApiServer: async (signal) => {
      restartProgram(name, 'kube-apiserver')
      await apiServerReady(layout, signal)
    },
    enter: (command) => [...enterPrefix(state), ...command],
    importImage: (archive) => importImage(state, archive),
    down: () => endCluster(name),
  }
}

async function issueKubeconfig(
  { directory, server }: Layout,
  caPem: string,
  { name, user, groups = [], path }: KubeconfigOwner,
): Promise<string> {
  const authority = await readAuthority(directory)
  const certificate = await issueCertificate(authority, { user, groups, usages: ['client'] })
  const file = path ?? join(directory, `${checkName(name)}.user.kubeconfig`)
  // an existing file would keep its mode
  await rm(file, { force: true })
  return writeKubeconfigFile(file, { server, caPem, user, credentials: { certificate } })
}
