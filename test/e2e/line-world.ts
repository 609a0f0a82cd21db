import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { availability } from '@jackstay/cluster/cluster'
import type { IntentView } from '@jackstay/contract/api'
import type { ClassLimits } from '@jackstay/contract/kinds/agent-class'
import { groupVersion } from '@jackstay/contract/kinds/kind'
import { clusterUid } from '@jackstay/kube/identity'
import { createAgentPod } from '@jackstay/lab/agent-pod'
import { classObjects } from '@jackstay/lab/class-objects'
import { type ControlPlane, startControlPlane } from '@jackstay/lab/control-plane'
import { applyObjects } from '@jackstay/lab/install'
import { until } from './attempt.ts'
import type { SlowLink } from './slow-link.ts'
import { newKey, TestAgent } from './test-agent.ts'
import { noCluster, type World, type WorldSettings, world } from './world.ts'

type Manifest = Readonly<Record<string, unknown>>

export interface ClassOptions {
  readonly autonomy?: string
  readonly verifySeconds?: number
  readonly rules?: readonly Manifest[]
  readonly limits?: Partial<ClassLimits>
  /** `workload.scale` unless told otherwise. */
  readonly actions?: readonly string[]
  /** Whether its agents see all nodes. */
  readonly readsNodes?: boolean
}

/** A class with its namespaces, its policy, a granted quorum and one enrolled agent. */
export interface Tenant {
  readonly class: string
  readonly namespace: string
  readonly targets: string
  readonly agent: TestAgent
}

/** The control plane's programs on the shared cluster, and what tests do with them. */
export interface LineWorld extends World {
  readonly plane: ControlPlane
  readonly signal: AbortSignal
  tenant(options?: ClassOptions): Promise<Tenant>
  /** Another Pod of the tenant's agent, or of another agent there, not enrolled yet. */
  newAgent(tenant: { readonly namespace: string }, agent?: string): Promise<TestAgent>
  /** The same, enrolled. */
  enrolled(tenant: { readonly namespace: string }, agent?: string): Promise<TestAgent>
  /** A Deployment without a container that could ever become ready. */
  deployment(tenant: Tenant, name: string, replicas: number): Promise<{ uid: string }>
  replicas(tenant: Tenant, name: string): Promise<number>
  /** Polls until `holds`, half a minute at most. */
  until(holds: () => Promise<boolean>, what: string): Promise<void>
  /** One person's verdict, by plain `kubectl create`. */
  approve(id: string, tenant: Tenant, options?: ApproveOptions): Promise<string>
  close(): Promise<void>
}

export interface ApproveOptions {
  readonly person?: string
  readonly groups?: readonly string[]
  readonly verdict?: 'approve' | 'reject'
  readonly digest?: string
}

export const oncall = 'oncall'
const approveAll: readonly Manifest[] = [
  { name: 'allow', allow: { when: 'true' } },
  { name: 'people', requireApproval: { when: 'true', count: 1, groups: [oncall] } },
]

/** Why the line cannot be shown here, for `skip`; never in CI. */
export async function noLine(): Promise<string | false> {
  const missing = await noCluster()
  if (missing !== false || process.env.CI || process.env.JACKSTAY_E2E_CLUSTER) return missing
  const { source } = await availability()
  return source === 'assets' ? 'needs kube-controller-manager, which these assets lack' : false
}

export interface LineSettings extends WorldSettings {
  readonly mediatorFlags?: readonly string[]
  /** What lies between the programs and the API server. */
  readonly link?: Pick<SlowLink, 'lead'>
  readonly mediatorNodeFlags?: readonly string[]
  readonly mediatorEnv?: Readonly<Record<string, string>>
  /** Its bundle, instead of the checkout's main file. */
  readonly mediatorMain?: string
}

export async function lineWorld(settings: LineSettings = {}): Promise<LineWorld> {
  const { link, mode, own, ...flags } = settings
  const base = await world({ ...(mode && { mode }), ...(own && { own }) })
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-line-'))
  const ended = new AbortController()
  const { signal } = ended
  const onError = (error: unknown) => {
    throw error
  }
  const host = { client: base.admin, directory, signal, onError }
  const writeKubeconfig: typeof base.cluster.writeKubeconfig = async (options) => {
    const path = await base.cluster.writeKubeconfig(options)
    await link?.lead(path)
    return path
  }
  const plane = await startControlPlane({ ...host, ...flags, writeKubeconfig })
  const uid = await clusterUid(base.admin)
  const install = { client: base.admin, signal }
  await applyObjects(install, [approverBinding])

  const newAgent: LineWorld['newAgent'] = async ({ namespace }, serviceAccount = 'agent') => {
    const name = `agent-${randomBytes(3).toString('hex')}`
    const pod = await createAgentPod({ ...host, namespace, serviceAccount, name })
    const urls = { mediator: plane.mediatorUrl, registrar: plane.registrarUrl }
    return new TestAgent(pod, await newKey(), uid, urls)
  }
  const enrolled: LineWorld['enrolled'] = async (tenant, serviceAccount) => {
    const agent = await newAgent(tenant, serviceAccount)
    const answer = await agent.enrol()
    if (answer.status >= 300) throw new Error(`not enrolled: ${JSON.stringify(answer.body)}`)
    await untilKnown(agent)
    return agent
  }
  const self: LineWorld = {
    ...base,
    plane,
    signal,
    newAgent,
    enrolled,
    async tenant(options = {}) {
      const suffix = randomBytes(3).toString('hex')
      const one = {
        class: `c-${suffix}`,
        namespace: `jackstay-class-${suffix}`,
        targets: `t-${suffix}`,
      }
      const actions = options.actions ?? ['workload.scale']
      const { readsNodes = false } = options
      const parts = { ...one, agentServiceAccount: 'agent', actions, readsNodes }
      await applyObjects(install, classObjects({ ...parts, targets: [one.targets] }))
      await applyObjects(install, governance(one, options))
      // one that does not load denies the action to every class, also those of later suites
      await rulesLoad(base, one.class)
      await grant(self, one.class)
      return { ...one, agent: await enrolled(one) }
    },
    async deployment(tenant, name, replicas) {
      await applyObjects(install, [deploymentOf(tenant.targets, name, replicas)])
      const ref = {
        apiVersion: 'apps/v1',
        resource: 'deployments',
        namespace: tenant.targets,
        name,
      }
      return { uid: (await base.admin.get(ref)).metadata.uid ?? '' }
    },
    async replicas(tenant, name) {
      const args = [
        '-n',
        tenant.targets,
        'get',
        'deployment',
        name,
        '-o',
        'jsonpath={.spec.replicas}',
      ]
      return Number((await base.kubectl(args)).stdout)
    },
    until: (holds, what) => until(what, holds),
    approve: (id, tenant, options = {}) => approve(base, id, tenant.targets, options),
    async close() {
      await plane.stop()
      ended.abort()
      await rm(directory, { recursive: true })
    },
  }
  return self
}

const approverBinding: Manifest = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'e2e-oncall-approves' },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'jackstay-approver',
  },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: oncall }],
}

function governance(
  one: { readonly class: string; readonly namespace: string; readonly targets: string },
  options: ClassOptions,
): Manifest[] {
  const quorum = { count: 1, groups: [oncall] }
  const { actions = ['workload.scale'] } = options
  // every tenant's rules stand beside the others': each speaks of its own class only
  const mine = (when: string) => `class.name == "${one.class}" && (${when})`
  const rules = (options.rules ?? approveAll).map((rule) =>
    Object.fromEntries(
      Object.entries(rule).map(([key, effect]) => {
        if (typeof effect !== 'object' || effect === null || !('when' in effect))
          return [key, effect]
        return [key, { ...effect, when: mine(String(effect.when)) }]
      }),
    ),
  )
  return [
    {
      apiVersion: groupVersion,
      kind: 'AgentClass',
      metadata: { name: one.class },
      spec: {
        namespace: one.namespace,
        autonomy: options.autonomy ?? 'act-within-policy',
        actions: actions.map((name) => ({
          name,
          // what is in no namespace is reached by `*` alone
          targets: { namespaces: [name.startsWith('node.') ? '*' : one.targets], names: ['*'] },
        })),
        defaultApproval: quorum,
        limits: {
          intentsPerMinute: 600,
          pending: 50,
          concurrent: 50,
          budgets: [],
          oscillation: { turns: 50, within: '1h' },
          ...options.limits,
        },
        verifySeconds: options.verifySeconds ?? 60,
        triggers: [{ labels: { tenant: one.class } }],
        grant: quorum,
      },
    },
    {
      apiVersion: groupVersion,
      kind: 'ActionPolicy',
      metadata: { name: one.class },
      spec: { mode: 'enforce', actions, rules },
    },
  ]
}

/** A Deployment without a container that could ever become ready. */
export function deploymentOf(namespace: string, name: string, replicas: number) {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'none', image: 'jackstay.local/none:1', imagePullPolicy: 'Never' }],
        },
      },
    },
  }
}

async function approve(
  { cluster, kubectl }: World,
  id: string,
  namespace: string,
  options: ApproveOptions,
): Promise<string> {
  const { person = 'oncall-1', groups = [oncall], verdict = 'approve' } = options
  const read = async (path: string) =>
    (await kubectl(['-n', namespace, 'get', 'intent', id, '-o', `jsonpath={${path}}`])).stdout
  const name = `${id}-${randomBytes(3).toString('hex')}`
  const manifest = {
    apiVersion: groupVersion,
    kind: 'Approval',
    metadata: { name, namespace },
    spec: {
      subject: { kind: 'Intent', name: id, uid: await read('.metadata.uid') },
      digest: options.digest ?? (await read('.status.digest')),
      verdict,
      approver: person,
      groups,
      reason: 'the test says so',
    },
  }
  const kubeconfig = await cluster.issueKubeconfig({ name: person, user: person, groups })
  const created = await kubectl(['create', '-f', '-'], {
    kubeconfig,
    stdin: JSON.stringify(manifest),
  })
  if (created.code !== 0) throw new Error(created.stderr)
  return name
}

async function rulesLoad({ kubectl }: World, policy: string): Promise<void> {
  const waited = ['wait', '--for=condition=Ready', '--timeout=30s', `actionpolicy/${policy}`]
  const { code, stderr } = await kubectl(waited)
  if (code !== 0) throw new Error(`the rules of \`${policy}\` do not load: ${stderr}`)
}

/** One oncall person agrees to the class as it stands. */
async function grant({ cluster, kubectl }: World, name: string): Promise<void> {
  const read = (path: string) => kubectl(['get', 'agentclass', name, '-o', `jsonpath={${path}}`])
  await kubectl([
    'wait',
    '--for=jsonpath={.status.specHash}',
    '--timeout=30s',
    `agentclass/${name}`,
  ])
  const [uid, digest] = [await read('.metadata.uid'), await read('.status.specHash')]
  const manifest = {
    apiVersion: groupVersion,
    kind: 'Approval',
    metadata: { name: `${name}-granted`, namespace: 'jackstay-system' },
    spec: {
      subject: { kind: 'AgentClass', name, uid: uid.stdout },
      digest: digest.stdout,
      verdict: 'approve',
      approver: 'oncall-1',
      groups: [oncall],
      reason: 'the test needs the class',
    },
  }
  const owner = { name: 'oncall-1', user: 'oncall-1', groups: [oncall] }
  const kubeconfig = await cluster.issueKubeconfig(owner)
  const created = await kubectl(['create', '-f', '-'], {
    kubeconfig,
    stdin: JSON.stringify(manifest),
  })
  if (created.code !== 0) throw new Error(created.stderr)
  await kubectl(['wait', '--for=condition=Granted', '--timeout=30s', `agentclass/${name}`])
}

/** The mediator's caches follow the registrar by milliseconds. */
async function untilKnown(agent: TestAgent): Promise<void> {
  await until('the mediator knows the Pod', async () => {
    const headers = { authorization: `Bearer ${await agent.token('intent')}` }
    const answer = await fetch(`${agent.urls.mediator}/v1/cluster`, { headers })
    await answer.body?.cancel()
    return answer.ok
  })
}

export function phaseOf(view: IntentView): string {
  const { phase, reason } = view.summary
  return reason === undefined ? phase : `${phase}/${reason}`
}
