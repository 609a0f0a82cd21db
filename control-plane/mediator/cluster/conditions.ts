import type { CatalogueEntry } from '@jackstay/actions/action'
import type { BreakerView } from '@jackstay/contract/api'
import { digestOf } from '@jackstay/contract/json'
import { actionPolicy } from '@jackstay/contract/kinds/action-policy'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { changeWindow } from '@jackstay/contract/kinds/change-window'
import { type Condition, groupVersion } from '@jackstay/contract/kinds/kind'
import type { RuleProblem } from '@jackstay/judge/rules'
import type { KubeClient } from '@jackstay/kube/client'
import { windowGrant } from '../clearance/grant.ts'
import type { Clock } from '../ports.ts'
import { windowReport } from '../windows/report.ts'
import { classReport, policyReport } from './class-report.ts'
import type { CachedCluster, Caches } from './cluster-caches.ts'

interface Said {
  readonly type: string
  readonly ok: boolean
  readonly message: string
}

interface Reported {
  readonly generation: number
  readonly conditions: readonly Said[]
  /** `null` takes a field away. */
  readonly extra?: { readonly [key: string]: string | null }
}

export interface ReportOptions {
  readonly client: KubeClient
  readonly caches: Caches
  readonly cluster: CachedCluster
  readonly problems: readonly RuleProblem[]
  readonly clock: Clock
  readonly oneOperator: boolean
  readonly catalogue: readonly Pick<CatalogueEntry, 'name'>[]
  readonly openBreakers: (name: string) => readonly BreakerView[]
  /** What was written, by object: the same is not written twice. */
  readonly written: Map<string, string>
}

/**
 * Says on AgentClasses whether they are granted, for which hash, and what they lack, on ActionPolicies whether
 * their rules load, and on ChangeWindows whether they are in force. Level-triggered; nothing reads
 * these back. Answers when time alone will change a report, in milliseconds since the epoch.
 */
export async function reportConditions(options: ReportOptions): Promise<number | undefined> {
  const { caches, cluster, problems, oneOperator, openBreakers } = options
  const writes: Promise<void>[] = []
  for (const found of caches.classes.values()) {
    const broken = closedBreakers(openBreakers(found.name))
    const { grant, valid, readsOnly, ready } = classReport(found, cluster, options)
    const conditions = [
      { type: 'Ready', ...ready },
      { type: 'Granted', ...grant },
      { type: 'Valid', ...valid },
      { type: 'ReadsOnly', ...readsOnly },
      broken,
    ]
    const extra = { specHash: found.problem === undefined ? found.hash : null }
    const report = { generation: found.generation, conditions, extra }
    writes.push(write(options, agentClass.plural, found.name, report))
  }
  for (const policy of caches.policies.values()) {
    const { name, generation } = policy
    const ready = { type: 'Ready', ...policyReport(policy, problems, options.catalogue) }
    writes.push(write(options, actionPolicy.plural, name, { generation, conditions: [ready] }))
  }
  const now = options.clock.now()
  const nexts: number[] = []
  for (const view of caches.windows.values()) {
    const grant = windowGrant(view, cluster.approvalsOf, oneOperator)
    const { valid, inForce, next } = windowReport(view, grant, now)
    if (next !== undefined) nexts.push(next)
    const conditions = [
      { type: 'Valid', ...valid },
      { type: 'InForce', ...inForce },
    ]
    const nextChange = next === undefined ? null : new Date(next).toISOString()
    const extra = { specHash: view.hash, nextChange }
    const report = { generation: view.generation, conditions, extra }
    writes.push(write(options, changeWindow.plural, view.name, report))
  }
  await Promise.all(writes)
  return nexts.length === 0 ? undefined : Math.min(...nexts)
}

async function write(
  { client, clock, written }: ReportOptions,
  plural: string,
  name: string,
  report: Reported,
): Promise<void> {
  const key = `${plural}/${name}`
  const hash = digestOf(report)
  if (written.get(key) === hash) return
  const { generation: observedGeneration, extra } = report
  const lastTransitionTime = new Date(clock.now()).toISOString()
  const conditions = report.conditions.map(
    ({ type, ok, message }): Condition => ({
      type,
      status: ok ? 'True' : 'False',
      reason: ok ? type : `Not${type}`,
      message,
      lastTransitionTime,
      observedGeneration,
    }),
  )
  const status = { ...extra, observedGeneration, conditions }
  const ref = { apiVersion: groupVersion, resource: plural, name }
  const result = await client.mergePatch(ref, { status }, { subresource: 'status' })
  if (result.kind === 'applied') written.set(key, hash)
}

const shownBreakers = 8

/** Says which breakers are open, not until when: their times would have the status written all day. */
function closedBreakers(open: readonly BreakerView[]): Said {
  const named = open.map(({ scope, key, cause }) => `${scope} \`${key}\`: ${cause}`).sort()
  const more = named.length > shownBreakers ? `; and ${named.length - shownBreakers} more` : ''
  const message = named.slice(0, shownBreakers).join('; ') + more
  return {
    type: 'BreakersClosed',
    ok: named.length === 0,
    message: message || 'no breaker is open',
  }
}
