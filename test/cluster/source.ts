import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { goProgram } from './go-program.ts'
import type { OnProgress } from './progress.ts'

/**
 * Where a cluster for tests can come from: one that exists already, control plane binaries that the
 * user has, or binaries built here from Go modules.
 */
export type Source = 'kubeconfig' | 'assets' | 'build' | 'none'

export type Missing = { readonly what: string; readonly typeInstead: string }

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

/** What can be had here and, where something cannot, why. Builds and fetches nothing. */
export function availabilityIn(environment: Environment, root: boolean): Availability {
  if (environment.JACKSTAY_TEST_KUBECONFIG) return givenCluster(environment)
  const absent = missingForControlPlane(environment)
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

function missingForControlPlane(environment: Environment): Missing[] {
  if (process.platform !== 'linux') {
    const typeInstead = 'export JACKSTAY_TEST_KUBECONFIG=<kubeconfig of a cluster for tests>'
    return [{ what: `Linux (this is \`${process.platform}\`)`, typeInstead }]
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
  if (programOnPath('go', environment) !== undefined) return []
  return [
    { what: 'a Go toolchain (1.26 or newer)', typeInstead: 'install go and put it on the PATH' },
  ]
}

function missingForNode(environment: Environment, root: boolean): Missing[] {
  const missing: Missing[] = []
  if (!root)
    missing.push({ what: 'root, for namespaces and cgroups', typeInstead: 'sudo -E npm …' })
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

export function programOnPath(
  name: string,
  environment: Environment = process.env,
): string | undefined {
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean)
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The control plane's programs, built now where they are not in the cache. */
export async function controlPlanePrograms(
  source: 'assets' | 'build',
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<ControlPlanePrograms> {
  if (source === 'build') {
    const etcd = join(await goProgram('etcd', onProgress, signal), 'etcd')
    const kubernetes = await goProgram('kubernetes', onProgress, signal)
    return {
      etcd,
      apiServer: join(kubernetes, 'kube-apiserver'),
      kubectl: join(kubernetes, 'kubectl'),
      controllerManager: join(kubernetes, 'kube-controller-manager'),
      scheduler: join(kubernetes, 'kube-scheduler'),
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

/** An error that says what is missing and what to type. */
export function missingError(missing: readonly Missing[]): Error {
  const lines = missing.map(({ what, typeInstead }) => `  missing: ${what}\n  type: ${typeInstead}`)
  return new Error(`no such cluster can be had here\n${lines.join('\n')}`)
}
