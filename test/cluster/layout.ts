import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { type ClusterState, clusterDirectory, type Ports } from './state.ts'
import { type Subnet, subnetOf } from './subnet.ts'

export type Mode = ClusterState['mode']

/** Where everything of one cluster is: its files and its addresses. */
export type Layout = {
  readonly name: string
  readonly mode: Mode
  readonly directory: string
  readonly ports: Ports
  readonly apiAddress: string
  /** URL of the API server, as seen from the host. */
  readonly server: string
  readonly nodeName: string
  readonly subnet: Subnet | undefined
  readonly kubeconfig: string
  readonly auditLog: string
  pki(file: string): string
  kubeconfigOf(program: string): string
  logOf(program: string): string
}

/** In a network namespace of its own a cluster has the usual ports; on the host, whichever are free. */
export async function portsFor(mode: Mode): Promise<Ports> {
  if (mode === 'node') {
    return { api: 6443, etcd: 2379, etcdPeer: 2380, controllerManager: 10257, scheduler: 10259 }
  }
  const [api = 0, etcd = 0, etcdPeer = 0, controllerManager = 0, scheduler = 0] = await freePorts(5)
  return { api, etcd, etcdPeer, controllerManager, scheduler }
}

export function layoutOf({
  name,
  mode,
  ports,
  node,
}: Pick<ClusterState, 'name' | 'mode' | 'ports' | 'node'>): Layout {
  const directory = clusterDirectory(name)
  const subnet = node === undefined ? undefined : subnetOf(node.index)
  const apiAddress = subnet?.nodeAddress ?? '127.0.0.1'
  return {
    name,
    mode,
    directory,
    ports,
    apiAddress,
    server: `https://${apiAddress}:${ports.api}`,
    nodeName: 'node-1',
    subnet,
    kubeconfig: join(directory, 'kubeconfig'),
    auditLog: join(directory, 'log', 'audit.log'),
    pki: (file) => join(directory, 'pki', file),
    kubeconfigOf: (program) => join(directory, `${program}.kubeconfig`),
    logOf: (program) => join(directory, 'log', `${program}.log`),
  }
}
