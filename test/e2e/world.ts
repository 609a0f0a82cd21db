import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { attach, availability, type Cluster, type Mode, up } from '@jackstay/cluster/cluster'
import { connect, type KubeClient } from '@jackstay/kube/client'
import { loadConfig } from '@jackstay/kube/config'
import { installJackstay } from '@jackstay/lab/install'
import { type Ran, run } from '@jackstay/lab/shell'
import { attempt, until } from './attempt.ts'

/** Somebody the API server knows: by client certificate or by a ServiceAccount's token. */
export interface Person {
  readonly client: KubeClient
  readonly kubeconfig: string
}

export interface World {
  readonly cluster: Cluster
  readonly admin: KubeClient
  /** Whether its API server is ours to stop. */
  readonly restartable: boolean
  kubectl(
    args: readonly string[],
    options?: { readonly stdin?: string; readonly kubeconfig?: string },
  ): Promise<Ran>
  person(user: string, groups?: readonly string[]): Promise<Person>
  /** With a token of the API server's own audience, as nothing of ours hands out. */
  serviceAccount(namespace: string, name: string): Promise<Person>
  /** A class's executor, reached as the mediator reaches it; each extra as often as it has values. */
  executor(className: string, extra: Readonly<Record<string, readonly string[]>>): KubeClient
}

export interface WorldSettings {
  /** What is brought up where the run has no cluster. */
  readonly mode?: Mode
  /** Another one than the run's: for suites that need all of it. */
  readonly own?: boolean
}

let made: Promise<World> | undefined

/** One per process, on the cluster of the run or on one of its own. */
export function world(settings: WorldSettings = {}): Promise<World> {
  made ??= make(settings)
  return made
}

/** Why the suites cannot run here, for `skip`. In CI they may not be skipped: there `world` throws. */
export async function noCluster(): Promise<string | false> {
  if (process.env.CI || process.env.JACKSTAY_E2E_CLUSTER) return false
  const { source, missing } = await availability()
  if (source !== 'none') return false
  return missing.map(({ what, typeInstead }) => `needs ${what} (${typeInstead})`).join('; ')
}

/** Why real Pods cannot be had here, for `skip`; `own` where a cluster of somebody's will not do. */
export async function noNode({ own = false } = {}): Promise<string | false> {
  const { source, node } = await availability()
  if (own && source === 'kubeconfig') {
    return 'drains a node; unset JACKSTAY_TEST_KUBECONFIG to have one made'
  }
  return !node && 'needs a node (root, Linux and Go)'
}

const userAgent = 'jackstay-e2e'

async function make({ mode = 'control-plane', own = false }: WorldSettings): Promise<World> {
  const name = own ? undefined : process.env.JACKSTAY_E2E_CLUSTER
  const { source } = await availability()
  const cluster = name === undefined ? await up({ mode }) : await attach(name)
  const { kubectl, kubeconfig } = cluster
  const signal = new AbortController().signal
  const admin = connect(loadConfig({ kubeconfig }), { userAgent, timeoutMs: 30_000 })
  await installJackstay({ client: admin, signal })
  await untilLastPolicyBites(admin)
  const people = peopleOf(cluster, admin)
  const mediator = await people.serviceAccount('jackstay-system', 'jackstay-mediator')
  return {
    ...people,
    cluster,
    admin,
    restartable: name !== undefined || source !== 'kubeconfig',
    kubectl: (args, options = {}) =>
      run(kubectl, args, {
        signal,
        env: { KUBECONFIG: options.kubeconfig ?? kubeconfig },
        ...(options.stdin !== undefined && { stdin: options.stdin }),
      }),
    executor: (className, extra) =>
      mediator.client.as({
        username: `system:serviceaccount:jackstay-executors:${className}`,
        extra,
      }),
  }
}

function peopleOf(cluster: Cluster, admin: KubeClient): Pick<World, 'person' | 'serviceAccount'> {
  const known = new Map<string, Promise<Person>>()
  const once = (key: string, make: () => Promise<string>) => {
    const person = known.get(key) ?? make().then(personOf)
    known.set(key, person)
    return person
  }
  return {
    person: (user, groups = []) => {
      const key = JSON.stringify([user, groups])
      const name = `p-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`
      return once(key, () => cluster.issueKubeconfig({ name, user, groups }))
    },
    serviceAccount: (namespace, name) =>
      once(`${namespace}/${name}`, async () => {
        const expirationSeconds = 3600
        const { token } = await admin.createToken(namespace, name, {
          audiences: [],
          expirationSeconds,
        })
        const tokenFile = join(cluster.directory, `${namespace}.${name}.${process.pid}.token`)
        await writeFile(tokenFile, token, { mode: 0o600 })
        return await cluster.writeKubeconfig({ path: `${tokenFile}.kubeconfig`, tokenFile })
      }),
  }
}

function personOf(kubeconfig: string): Person {
  return {
    kubeconfig,
    client: connect(loadConfig({ kubeconfig }), { userAgent, timeoutMs: 30_000 }),
  }
}

const suspensionKind =
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/suspensions.jackstay.dev'

/** The installer waits for one policy; files are applied by name, so these come after all others. */
async function untilLastPolicyBites(admin: KubeClient): Promise<void> {
  await until('the last policy bites', async () => {
    const { message } = await attempt(admin, 'DELETE', suspensionKind, undefined, { dryRun: true })
    return message.includes('jackstay-suspension-kind-')
  })
}
