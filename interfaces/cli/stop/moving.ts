import { agentClass } from '@jackstay/contract/kinds/agent-class'
import { intentObject } from '@jackstay/contract/kinds/intent-object'
import { groupVersion, objectOf } from '@jackstay/contract/kinds/kind'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { terminalPhases } from '@jackstay/contract/phases'
import { describeObject } from '@jackstay/contract/plan'
import type { KubeClient } from '@jackstay/kube/client'
import type { Line } from '../screen.ts'
import type { Scope } from './scope.ts'

/** What a stop may be holding now, as the Intent objects say; without any program of ours. */
export interface Moving {
  readonly intents: readonly MovingIntent[]
  /** More than were looked through, or none could be. */
  readonly incomplete?: string
}

export interface MovingIntent {
  readonly id: string
  readonly phase: string
  readonly action: string
  readonly target: string
  readonly agent: string
  readonly createdAt?: string
}

const pageSize = 500
const mostPages = 20
const shown = 20
const ended: ReadonlySet<string> = new Set(terminalPhases)

export async function movingWith(
  scope: Scope,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Moving> {
  try {
    const covers = await coverage(scope, client, signal)
    return await unended(covers, scope, client, signal)
  } catch (error) {
    if (signal.aborted) throw error
    const why = error instanceof Error ? error.message : String(error)
    return { intents: [], incomplete: `intents could not be read: ${why}` }
  }
}

async function unended(
  covers: (intent: MovingIntent) => boolean,
  scope: Scope,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Moving> {
  const type = { apiVersion: groupVersion, resource: intentObject.plural }
  const one = scope.by === 'label' && scope.namespace !== systemNamespace
  const intents: MovingIntent[] = []
  let from: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const list = await client.list(type, {
      ...{ limit: pageSize, signal },
      ...(one && { namespace: scope.namespace }),
      ...(from !== undefined && { continue: from }),
    })
    for (const item of list.items) {
      const parsed = objectOf(intentObject).safeParse(item)
      if (!parsed.success) continue
      const { metadata, spec, status } = parsed.data
      const phase = typeof status?.phase === 'string' ? status.phase : 'unknown'
      const { agent, action, target } = spec
      const { creationTimestamp: createdAt } = metadata
      const known = { id: metadata.name, phase, action, target, agent }
      const intent = { ...known, ...(createdAt !== undefined && { createdAt }) }
      if (!ended.has(phase) && covers(intent)) intents.push(intent)
    }
    from = list.continue
    if (from === undefined) return { intents }
  }
  return { intents, incomplete: `only the first ${pageSize * mostPages} intents were looked at` }
}

/** Whether a scope names an intent. A class is known by the namespace of its agents. */
async function coverage(
  scope: Scope,
  client: KubeClient,
  signal: AbortSignal,
): Promise<(intent: MovingIntent) => boolean> {
  if (scope.by === 'label') return () => true
  const { class: className, agent, action, target } = scope.subject
  if (agent !== undefined) return (intent) => intent.agent === agent
  if (action !== undefined) return (intent) => intent.action === action
  if (target !== undefined) return (intent) => intent.target === describeObject(target)
  const ref = { apiVersion: groupVersion, resource: agentClass.plural, name: className ?? '' }
  const found = objectOf(agentClass).parse(await client.get(ref, { signal }))
  return (intent) => intent.agent.startsWith(`${found.spec.namespace}/`)
}

export function movingLines({ intents, incomplete }: Moving): Line[] {
  const rest = intents.length - shown
  return [
    ...(intents.length === 0 && incomplete === undefined
      ? [['no intent waits or is under way']]
      : []),
    ...intents
      .slice(0, shown)
      .map(
        ({ id, phase, action, target, agent }): Line => [
          `${id}  ${phase}: ${action} on ${target}, asked for by ${agent}`,
        ],
      ),
    ...(rest > 0 ? [[`and ${rest} more`]] : []),
    ...(incomplete === undefined ? [] : [[incomplete]]),
  ]
}
