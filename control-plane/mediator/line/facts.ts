import { fieldChanges } from '@jackstay/contract/field-changes'
import type { Plan, PlannedWrite } from '@jackstay/contract/plan'
import type { IntentRecord } from '@jackstay/contract/record'
import type { Facts, Place } from '@jackstay/judge/facts'
import { risk } from '@jackstay/judge/risk'
import { strictestFact } from '@jackstay/judge/windows-closed'
import type { Ports } from '../ports.ts'
import { windowQuestion } from '../windows/closed.ts'
import { namespacesIn } from './reach.ts'

/** A fact that the control plane does not have. Nothing is decided without it. */
export interface Unknown {
  readonly unknown: string
}

/** More firing alerts than this cannot be told to rules. */
export const maxIncidents = 500
/** More figures of quotas in one namespace would cost every judgement about it too much. */
const maxQuotas = 256
/** The same for what stands around the Pods that a plan touches. */
const most = 512

/**
 * What rules may look at: the signed request, the control plane's own plan and reads, the clock.
 * Nothing an agent says about itself. A fact that is missing is said to be, never left empty.
 */
export async function factsOf(
  record: IntentRecord,
  plan: Plan,
  ports: Ports,
): Promise<Facts | Unknown> {
  const { claims, agent } = record.authenticated
  const { apiVersion, kind, namespace = '', name } = plan.target
  const [agentNamespace = '', serviceAccount = ''] = agent.name.split('/')
  const incidents = await ports.triggers.firing(maxIncidents + 1)
  if (incidents.length > maxIncidents) {
    return { unknown: `more than ${maxIncidents} alerts are firing; resolve some in Alertmanager` }
  }
  const now = ports.clock.now()
  const places: Place[] = []
  for (const one of namespacesIn(plan)) {
    const found = placeOf(one, plan.action, ports)
    if ('unknown' in found) return found
    places.push(found)
  }
  const [own, ...elsewhere] = places
  if (own === undefined) throw new TypeError('a target in no place at all')
  const many = tooMany(plan)
  if (many !== undefined) return { unknown: many }
  return {
    intent: { action: claims.action, params: claims.params },
    action: plan.action,
    target: { apiVersion, kind, namespace, name },
    plan: planFacts(plan),
    agent: { name: agent.name, namespace: agentNamespace, serviceAccount },
    class: {
      name: agent.class,
      autonomy: ports.cluster.class(agent.class)?.spec.autonomy ?? 'observe',
    },
    cluster: { uid: ports.clusterUid, incidents: [...incidents] },
    ...own,
    ...(elsewhere.length > 0 && { elsewhere }),
    now: new Date(now),
  }
}

/** What rules see of one namespace; of what belongs to none, nothing. */
function placeOf(name: string, action: string, ports: Ports): Place | Unknown {
  const found = name === '' ? { labels: {} } : ports.cluster.namespace(name)
  if (found === undefined) return { unknown: `the namespace \`${name}\` is not known` }
  const quotas = ports.cluster
    .quotas(name)
    .flatMap(({ name, limits }) => limits.map((limit) => ({ name, ...limit })))
  if (quotas.length > maxQuotas) {
    return { unknown: `the namespace \`${name}\` has more than ${maxQuotas} quotas; merge some` }
  }
  return {
    namespace: { name, labels: found.labels, quotas },
    window: strictestFact(ports.cluster.windows(), windowQuestion(action, name, ports)),
  }
}

/** A plan that reaches more than this costs every judgement of it too much. */
function tooMany({ blastRadius }: Plan): string | undefined {
  const { budgets, autoscalers, quotas } = blastRadius
  const found = Object.entries({ budgets, autoscalers, quotas }).find(
    ([, all]) => all.length > most,
  )
  return found && `the plan reaches more than ${most} ${found[0]}; change less at once`
}

function planFacts(plan: Plan): Facts['plan'] {
  const { summary, reversibility, blastRadius } = plan
  const { score, parts } = risk({ blastRadius, reversibility })
  const writes = plan.writes.flatMap(fields)
  return { summary, reversibility, blastRadius, writes, risk: { score, parts } }
}

/** The write field by field; a field on one side only is absent on the other. */
function fields(write: PlannedWrite): Facts['plan']['writes'] {
  return fieldChanges(write).map(({ path, before = null, after = null }) => ({
    path,
    before,
    after,
  }))
}
