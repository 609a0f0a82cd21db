import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { availability } from '@jackstay/cluster/cluster'
import { type FaultyApi, faultyApi } from '@jackstay/e2e/faulty-api'
import { apply } from '@jackstay/e2e/governed'
import {
  type ClassOptions,
  deploymentOf,
  type LineWorld,
  lineWorld,
  noLine,
  oncall,
  type Tenant,
} from '@jackstay/e2e/line-world'
import { quietTarget } from '@jackstay/e2e/targets'
import type { TestAgent } from '@jackstay/e2e/test-agent'
import type { KubeClient } from '@jackstay/kube/client'
import { type Sidecar, startSidecar } from '@jackstay/lab/agent'
import { calmBreakers } from '@jackstay/lab/calm-breakers'
import { nodes, type TenantName, tenantNames, workloads } from '../schedule/steps.ts'
import { layTended } from './tended.ts'

/** A sidecar that can be killed and comes back with the keys it had. */
export interface Beside {
  url(): string
  kill(): Promise<void>
  start(): Promise<void>
}

export interface Party extends Tenant {
  readonly name: TenantName
  /** Asks over plain HTTP by a sidecar of its own. */
  readonly beside?: Beside
  /** A second agent of the same class, for those who want to be each other. */
  readonly other: TestAgent
  /** By its autonomy. */
  readonly actsNever: boolean
}

export interface Ground extends AsyncDisposable {
  readonly w: LineWorld
  readonly api: FaultyApi
  readonly parties: Readonly<Record<TenantName, Party>>
  /** People with certificates: one decides, one changes things by hand. */
  readonly approver: KubeClient
  readonly operator: KubeClient
  readonly directory: string
}

const actions = [
  ...['workload.scale', 'workload.restart', 'workload.setImage', 'workload.setResources'],
  ...['workload.pause', 'workload.resume', 'workload.rollback', 'hpa.setBounds'],
  ...['cronjob.suspend', 'cronjob.resume'],
]

const allow = { name: 'allow', allow: { when: 'true' } }
/** Short, so that what nobody decides expires while the soak still runs. */
export const expiresAfter = '15s'
const people = { count: 1, groups: [oncall], expiresAfter }
const classes: Readonly<Record<TenantName, ClassOptions>> = {
  free: { rules: [allow] },
  asking: { rules: [allow, { name: 'people', requireApproval: { when: 'true', ...people } }] },
  strict: {
    rules: [allow, { name: 'no', deny: { when: 'intent.action != "workload.scale"' } }],
  },
  proposing: { rules: [allow], autonomy: 'propose' },
  observing: { rules: [allow], autonomy: 'observe' },
  tending: {
    rules: [allow],
    actions: ['node.cordon', 'node.uncordon', 'pod.evict', 'job.retry'],
    readsNodes: true,
  },
}
const withSidecar: readonly TenantName[] = ['free', 'asking']

/** Why there is no soak here, for `skip`: a cluster of somebody's does not show its audit log. */
export async function noSoak(): Promise<string | false> {
  const { source } = await availability()
  if (source === 'kubeconfig') return 'needs the audit log; unset JACKSTAY_TEST_KUBECONFIG'
  return await noLine()
}

/** Brings up everything that takes part. Nothing of it is in the witness' log yet. */
export async function layGround(onProgress: (what: string) => void): Promise<Ground> {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-soak-'))
  const api = await faultyApi()
  onProgress('cluster, control plane')
  const breakers = await calmBreakers(directory)
  const w = await lineWorld({ mediatorFlags: ['--breakers', breakers], link: api })
  const ended = new AbortController()
  const sidecars: Beside[] = []
  const party = async (name: TenantName): Promise<Party> => {
    onProgress(`tenant \`${name}\``)
    const { autonomy } = classes[name]
    const actsNever = autonomy === 'propose' || autonomy === 'observe'
    const tenant = await w.tenant({ actions, verifySeconds: 3, ...classes[name] })
    if (name === 'tending') await layTended(w, tenant.targets)
    else await layWorkloads(w, tenant)
    const other = await w.enrolled(tenant)
    if (!withSidecar.includes(name)) return { ...tenant, name, other, actsNever }
    const { pod } = await w.newAgent(tenant)
    const beside = await besideOf(() => startSidecar(pod, w.plane, directory, ended.signal))
    sidecars.push(beside)
    return { ...tenant, name, other, actsNever, beside }
  }
  const parties = {
    free: await party('free'),
    asking: await party('asking'),
    strict: await party('strict'),
    proposing: await party('proposing'),
    observing: await party('observing'),
    tending: await party('tending'),
  }
  const approver = await w.person('oncall-1', [oncall])
  const operator = await w.person('operator-1', ['system:masters'])
  return {
    ...{ w, api, parties, directory },
    ...{ approver: approver.client, operator: operator.client },
    async [Symbol.asyncDispose]() {
      await Promise.all(sidecars.map((sidecar) => sidecar.kill()))
      ended.abort()
      await w.close()
      // what waits for a node that never comes would be in the way of suites that follow
      const targets = tenantNames.map((name) => parties[name].targets)
      await w.kubectl(['delete', 'namespace', '--wait=false', ...targets])
      await w.kubectl(['delete', 'node', '--wait=false', ...nodes])
      await api[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
      if (process.env.JACKSTAY_E2E_CLUSTER === undefined) await w.cluster.down()
    },
  }
}

async function layWorkloads(w: LineWorld, { targets }: Tenant): Promise<void> {
  const quiet = ['cronjobs', 'horizontalpodautoscalers']
  await apply(w, [
    ...workloads.map((name) => deploymentOf(targets, name, 1)),
    ...quiet.map((resource) => quietTarget(resource, targets)),
  ])
}

async function besideOf(launch: () => Promise<Sidecar>): Promise<Beside> {
  let sidecar = await launch()
  return {
    url: () => sidecar.url,
    kill: () => sidecar.kill(),
    start: async () => {
      sidecar = await launch()
    },
  }
}

export function allParties({ parties }: Pick<Ground, 'parties'>): readonly Party[] {
  return tenantNames.map((name) => parties[name])
}
