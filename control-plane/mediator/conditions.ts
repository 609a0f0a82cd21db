import type { BreakerView } from '@jackstay/contract/api'
import { digestOf } from '@jackstay/contract/json'
import { actionPolicy } from '@jackstay/contract/kinds/action-policy'
import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { type Condition, groupVersion } from '@jackstay/contract/kinds/kind'
import type { RuleProblem } from '@jackstay/judge/rules'
import type { KubeClient } from '@jackstay/kube/client'
import type { CachedCluster, Caches } from './cluster-caches.ts'
import { granted } from './grant.ts'
import type { Clock } from './ports.ts'

interface Said {
  readonly type: string
  readonly ok: boolean
  readonly message: string
}

interface Reported {
  readonly generation: number
  readonly conditions: readonly Said[]
  readonly extra?: { readonly [key: string]: string }
}

/**
 * Says on AgentClasses whether they are granted and for which hash, and on ActionPolicies whether
 * their rules load. Level-triggered; nothing reads these back.
 */
export async function reportConditions(
  client: KubeClient,
  caches: Caches,
  cluster: CachedCluster,
  problems: readonly RuleProblem[],
  clock: Clock,
  written: Map<string, string>,
  openBreakers: (name: string) => readonly BreakerView[],
): Promise<void> {
  const writes: Promise<void>[] = []
  for (const found of caches.classes.values()) {
    const { granted: ok, message } = granted(found, cluster, clock)
    const broken = closedBreakers(openBreakers(found.name))
    const conditions = [{ type: 'Granted', ok, message }, broken]
    const extra = { specHash: found.hash }
    const report = { generation: found.generation, conditions, extra }
    writes.push(write(client, agentClass.plural, found.name, report, clock, written))
  }
  for (const { name, generation } of caches.policies.values()) {
    const mine = problems.filter((p) => p.policy === name)
    const message = mine.map((p) => `${p.rule}: ${p.message}`).join('; ')
    const condition = { type: 'Ready', ok: mine.length === 0, message: message || 'all rules load' }
    const report = { generation, conditions: [condition] }
    writes.push(write(client, actionPolicy.plural, name, report, clock, written))
  }
  await Promise.all(writes)
}

async function write(
  client: KubeClient,
  plural: string,
  name: string,
  report: Reported,
  clock: Clock,
  written: Map<string, string>,
): Promise<void> {
  const key = `${plural}/${name}`
  const hash = digestOf(report)
  if (written.get(key) === hash) return
  const conditions = report.conditions.map(
    ({ type, ok, message }): Condition => ({
      type,
      status: ok ? 'True' : 'False',
      reason: ok ? type : `Not${type}`,
      message,
      lastTransitionTime: new Date(clock.now()).toISOString(),
      observedGeneration: report.generation,
    }),
  )
  const status = { ...report.extra, observedGeneration: report.generation, conditions }
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
