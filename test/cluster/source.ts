import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { goProgram } from './go-program.ts'
import { etcd, kubernetes } from './go-recipes.ts'
import { type Missing, missingGo } from './go-toolchain.ts'
import { isExecutable, isWritable, programOnPath } from './on-path.ts'
import type { OnProgress } from './progress.ts'

/**
 * Where a cluster for tests can come from: one that exists already, control plane binaries that the
 * user has, or binaries built here from Go modules.
 */
export type Source = 'kubeconfig' | 'assets' | 'build' | 'none'

export type Availability = {
  readonly source: Source
  /** Whether a cluster with a node, hence with running Pods, can be had. */
  readonly node: boolean
  /** What stands in the way, in plain words, and what to type. */
  readonly missing: readonly Missing[]
}

export type ControlPlanePrograms = {
  readonly etcd: string
  readonly apiServer: string
  readonly kubectl: string
  /** Absent when the user's own binaries lack them; then nothing reconciles Deployments. */
  readonly controllerManager?: string
  readonly scheduler?: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What can be had here and, where something cannot, why. Builds and fetches nothing.
 *
 * @param built whether everything that Go would build is in the cache
 */
export function availabilityIn(
  environment: Environment,
  root: boolean,
  built = false,
): Availability {
  if (environment.JACKSTAY_TEST_KUBECONFIG) return givenCluster(environment)
  const absent = missingForControlPlane(environment, built)
  if (absent.length > 0) return { source: 'none', node: false, missing: absent }
  if (environment.KUBEBUILDER_ASSETS) {
    const missing = {
      what: 'kubelet and a container runtime',
      typeInstead: 'unset KUBEBUILDER_ASSETS',
    }
    return { source: 'assets', node: false, missing: [missing] }
  }
  const missing = missingForNode(environment, root)
  return { source: 'build', node: missing.length === 0, missing }
}

function givenCluster(environment: Environment): Availability {
  const path = environment.JACKSTAY_TEST_KUBECONFIG ?? ''
  const missing: Missing[] = []
  if (!existsSync(path)) {
    const typeInstead = 'export JACKSTAY_TEST_KUBECONFIG=<path of a kubeconfig>'
    missing.push({ what: `the kubeconfig \`${path}\``, typeInstead })
  }
  if (programOnPath('kubectl', environment) === undefined) {
    missing.push({ what: 'kubectl', typeInstead: 'install kubectl and put it on the PATH' })
  }
  return missing.length > 0
    ? { source: 'none', node: false, missing }
    : { source: 'kubeconfig', node: true, missing }
}

function missingForControlPlane(environment: Environment, built: boolean): Missing[] {
  if (process.platform !== 'linux') {
    return [{ what: `Linux (this is \`${process.platform}\`)`, typeInstead: useAnother }]
  }
  const assets = environment.KUBEBUILDER_ASSETS
  if (assets) {
    return ['etcd', 'kube-apiserver', 'kubectl']
      .filter((name) => !isExecutable(join(assets, name)))
      .map((name) => ({
        what: `${name} in \`${assets}\``,
        typeInstead: 'unset KUBEBUILDER_ASSETS',
      }))
  }
  const missing = built ? undefined : missingGo(environment)
  if (missing === undefined) return []
  return [{ ...missing, typeInstead: `${missing.typeInstead}, or ${useAnother}` }]
}

const useAnother = 'export JACKSTAY_TEST_KUBECONFIG=<kubeconfig of a cluster for tests>'

function missingForNode(environment: Environment, root: boolean): Missing[] {
  const missing: Missing[] = []
  if (!root) {
    // sudo would put its own path in the place of the one that Go is on
    const typeInstead = 'sudo -E env "PATH=$PATH" npm run cluster -- up --mode node'
    missing.push({ what: 'root, for namespaces and control groups', typeInstead })
  } else if (!mayMakeNamespaces()) {
    const what = 'the right to make namespaces and control groups, even for root'
    missing.push({ what, typeInstead: 'docker run --privileged … (or leave the container)' })
  }
  for (const [program, debianPackage] of [
    ['unshare', 'util-linux'],
    ['nsenter', 'util-linux'],
    ['ip', 'iproute2'],
    ['apt-get', 'apt'],
    ['dpkg', 'dpkg'],
  ] as const) {
    if (programOnPath(program, environment) === undefined) {
      missing.push({ what: program, typeInstead: `apt-get install ${debianPackage}` })
    }
  }
  const filesystems = readFileSync('/proc/filesystems', 'utf8')
  if (!/\boverlay$/m.test(filesystems)) {
    missing.push({ what: 'overlayfs in the kernel', typeInstead: 'modprobe overlay' })
  }
  if (!existsSync('/proc/sys/net/bridge')) {
    missing.push({ what: 'br_netfilter in the kernel', typeInstead: 'modprobe br_netfilter' })
  }
  return missing
}

const CAP_NET_ADMIN = 1n << 12n
const CAP_SYS_ADMIN = 1n << 21n

// root of a container has its name and not its rights
function mayMakeNamespaces(): boolean {
  const [, effective = '0'] =
    /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  const needed = CAP_NET_ADMIN | CAP_SYS_ADMIN
  return (BigInt(`0x${effective}`) & needed) === needed && isWritable('/sys/fs/cgroup')
}

/** The control plane's programs, built now where they are not in the cache. */
export async function controlPlanePrograms(
  source: 'assets' | 'build',
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<ControlPlanePrograms> {
  if (source === 'build') {
    const store = await goProgram(etcd, onProgress, signal)
    const folder = dirname(await goProgram(kubernetes, onProgress, signal))
    return {
      etcd: store,
      apiServer: join(folder, 'kube-apiserver'),
      kubectl: join(folder, 'kubectl'),
      controllerManager: join(folder, 'kube-controller-manager'),
      scheduler: join(folder, 'kube-scheduler'),
    }
  }
  const asset = (name: string) => join(process.env.KUBEBUILDER_ASSETS ?? '', name)
  return {
    etcd: asset('etcd'),
    apiServer: asset('kube-apiserver'),
    kubectl: asset('kubectl'),
    ...(isExecutable(asset('kube-controller-manager'))
      ? { controllerManager: asset('kube-controller-manager') }
      : {}),
    ...(isExecutable(asset('kube-scheduler')) ? { scheduler: asset('kube-scheduler') } : {}),
  }
}

/** An error that says what is missing, what to type, and what can be had as it is. */
export function missingError({ source, missing }: Availability): Error {
  const lines = missing.map(({ what, typeInstead }) => `  missing: ${what}\n  type: ${typeInstead}`)
  const instead =
    source === 'none' ? [] : ['  a control plane can be had as it is, type: npm run cluster -- up']
  return new Error(['no such cluster can be had here', ...lines, ...instead].join('\n'))
}
