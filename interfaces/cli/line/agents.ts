import { agentKey } from '@jackstay/contract/kinds/agent-key'
import { groupVersion, objectOf } from '@jackstay/contract/kinds/kind'
import { type AgentList, agentList } from '@jackstay/contract/people-api'
import type { KubeClient } from '@jackstay/kube/client'
import type { Mediator } from '../mediator.ts'
import { type Line, type Span, styled, table } from '../screen.ts'
import type { Stop } from '../stop/standing.ts'
import { inTime } from './in-time.ts'

/** One enrolled Pod of an agent. */
export interface AgentNow {
  readonly agent: string
  readonly class: string
  readonly pod: string
  readonly kid: string
  readonly revoked: boolean
  /** Unknown while the mediator is away: it is the one that watches Pods. */
  readonly live?: boolean
  readonly seenAt?: string | undefined
  readonly suspended: boolean
}

/** What the mediator sees. */
export function readAgents(mediator: Mediator): Promise<AgentList> {
  return mediator.read('/v1/agents', agentList)
}

/** The keys alone, as the user reads them at the API server. */
export async function keysOf(
  client: KubeClient,
  signal: AbortSignal,
): Promise<Omit<AgentNow, 'suspended'>[]> {
  const type = { apiVersion: groupVersion, resource: agentKey.plural }
  const { items } = await client.list(type, { signal })
  return items.flatMap((item) => {
    const parsed = objectOf(agentKey).safeParse(item)
    if (!parsed.success) return []
    const { metadata, spec, status } = parsed.data
    const { agent, podName, thumbprint: kid } = spec
    const pod = `${metadata.namespace ?? ''}/${podName}`
    return [{ agent, class: spec.class, pod, kid, revoked: status?.revoked === true }]
  })
}

/** Whether a stop in force names the agent, its class or everything. */
export function withStops(
  agents: readonly Omit<AgentNow, 'suspended'>[],
  stops: readonly Stop[],
): AgentNow[] {
  const names = ({ scope }: Stop, agent: Omit<AgentNow, 'suspended'>) =>
    scope.by === 'label'
      ? scope.namespace === 'jackstay-system'
      : scope.subject.agent === agent.agent || scope.subject.class === agent.class
  return agents.map((agent) => ({ ...agent, suspended: stops.some((stop) => names(stop, agent)) }))
}

export function agentLines(agents: readonly AgentNow[], now: number, wide: boolean): Line[] {
  if (agents.length === 0) return [['no agent has enrolled a key']]
  const head = ['AGENT', 'CLASS', 'STATE', 'POD', 'SEEN', ...(wide ? ['KEY'] : [])]
  const rows = agents.map((one): Span[] => [
    { text: one.agent },
    { text: one.class },
    stateOf(one),
    { text: one.pod },
    { text: one.seenAt === undefined ? '' : inTime(one.seenAt, now) },
    ...(wide ? [{ text: one.kid }] : []),
  ])
  return table(head, rows)
}

function stateOf({ revoked, live, suspended }: AgentNow): Span {
  if (revoked) return styled('red', 'revoked')
  if (suspended) return styled('red', 'suspended')
  if (live === undefined) return styled('yellow', 'enrolled')
  return live ? styled('green', 'live') : styled('dim', 'gone')
}
