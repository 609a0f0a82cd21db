import { randomBytes } from 'node:crypto'
import type { KubeClient } from '@jackstay/kube/client'
import { asObject, type KubeObject } from '@jackstay/kube/resources'
import { classObjects } from '@jackstay/lab/class-objects'
import { applyObjects } from '@jackstay/lab/install'
import { type Answer, type AttemptOptions, attempt, passed, until } from './attempt.ts'
import type { World } from './world.ts'

export type Manifest = Readonly<Record<string, unknown>>
export type Extra = Readonly<Record<string, readonly string[]>>

/** A class able to act and a namespace it may act in: objects alone, no program. */
export interface Governed {
  readonly class: string
  /** Of its agents. */
  readonly namespace: string
  readonly target: string
  readonly agent: string
  /** The extras of a proper write. */
  readonly extra: Extra
  readonly executor: KubeClient
  /** Sees what the executor writes; executors themselves cannot read. */
  readonly reader: KubeClient
  /** Path of a Deployment in the target namespace. */
  readonly deployment: string
  path(namespace: string, name?: string): string
  /** A merge patch with the preconditions of the object as it stands; `as` the executor. */
  patch(body: Manifest, options?: PatchOptions): Promise<Answer>
}

export interface PatchOptions extends AttemptOptions {
  readonly as?: KubeClient
  readonly deployment?: string
  readonly metadata?: Manifest
}

export function suffix(): string {
  return randomBytes(4).toString('hex')
}

export async function apply({ admin }: World, objects: readonly Manifest[]): Promise<void> {
  await applyObjects({ client: admin, signal: AbortSignal.timeout(60_000) }, objects)
}

export async function governed(w: World): Promise<Governed> {
  const id = suffix()
  const one = { class: `c-${id}`, namespace: `jackstay-class-${id}`, target: `t-${id}` }
  const { target } = one
  const parts = { ...one, agentServiceAccount: 'agent', actions: ['workload.scale'] }
  await apply(w, classObjects({ ...parts, targets: [target] }))
  await apply(w, [noReplicaSets(target), deploymentOf(target, 'api', 1)])
  const extra = {
    'jackstay.dev/intent': ['0190b6a0-0000-7000-8000-000000000000'],
    'jackstay.dev/agent': [`${one.namespace}/agent`],
    'jackstay.dev/action': ['workload.scale'],
  }
  const executor = w.executor(one.class, extra)
  const path = (namespace: string, name?: string) =>
    `/apis/apps/v1/namespaces/${namespace}/deployments${name === undefined ? '' : `/${name}`}`
  const deployment = path(target, 'api')
  return {
    ...{ ...one, agent: 'agent', extra, executor, reader: w.admin, deployment, path },
    async patch(body, options = {}) {
      const at = options.deployment ?? deployment
      const given = body.metadata
      // a controller's status write may come between reading and patching
      for (let left = 20; ; left--) {
        const { uid, resourceVersion } = (await read(w.admin, at)).metadata
        const metadata = { uid, resourceVersion, ...options.metadata, ...Object(given) }
        const answer = await attempt(
          options.as ?? executor,
          'PATCH',
          at,
          { ...body, metadata },
          options,
        )
        if (answer.status !== 409 || left === 0) return answer
      }
    },
  }
}

export async function read(client: KubeClient, path: string): Promise<KubeObject> {
  const answer = await attempt(client, 'GET', path)
  passed(answer)
  return asObject(answer.body)
}

export function deploymentOf(namespace: string, name: string, replicas: number): Manifest {
  const labels = { app: name }
  const container = { name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels, annotations: { 'example.org/kept': 'yes' } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}

/** What an executor patches need not run: without Pods the cluster stays quiet under many writes. */
function noReplicaSets(namespace: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'nothing-runs', namespace },
    spec: { hard: { 'count/replicasets.apps': '0' } },
  }
}

/** Binds a ServiceAccount to a ClusterRole, everywhere or in one namespace. */
export function bindingOf(
  name: string,
  role: string,
  account: { readonly namespace: string; readonly name: string },
  namespace?: string,
): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  }
}

/** Takes a policy out of the way; the answer puts it back. */
export async function unbound(w: World, policy: string): Promise<() => Promise<void>> {
  const path = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/${policy}`
  const { apiVersion, kind, metadata, spec } = await read(w.admin, path)
  const { name, labels } = metadata
  passed(await attempt(w.admin, 'DELETE', path))
  return () => apply(w, [{ apiVersion, kind, metadata: { name, labels }, spec }])
}

/** As bound before there was the policy that holds agents to reads. */
export async function boundAnyway(w: World, bindings: readonly Manifest[]): Promise<void> {
  const bite = await unbound(w, 'jackstay-agents-bound')
  try {
    let last = ''
    await until('agents can be given more than reads', async () => {
      last = await apply(w, bindings).then(
        () => '',
        (error: unknown) => String(error),
      )
      return last === ''
    }).catch((cause: unknown) => {
      throw new Error(`${String(cause)}: ${last}`)
    })
  } finally {
    await bite()
  }
}

/** Lets somebody make change windows. @returns what takes the right away again */
export async function letKeepWindows(w: World, user: string): Promise<() => Promise<void>> {
  const group = 'rbac.authorization.k8s.io'
  const metadata = { name: `e2e-${suffix()}-keeps-windows` }
  const binding = {
    ...{ apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'jackstay-window-keeper' },
    subjects: [{ apiGroup: group, kind: 'User', name: user }],
  }
  await apply(w, [binding])
  const path = `/apis/${group}/v1/clusterrolebindings/${metadata.name}`
  return async () => await removed(w, path)
}

/** Whether it still stood or not, it is gone by now. */
export async function removed({ admin }: World, path: string): Promise<void> {
  const answer = await attempt(admin, 'DELETE', path)
  if (answer.status !== 404) passed(answer)
}
