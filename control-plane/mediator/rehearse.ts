import { JackstayError } from '@jackstay/contract/errors'
import type { EventData } from '@jackstay/contract/history'
import { clockSkew } from '@jackstay/contract/intent'
import type { IntentRecord } from '@jackstay/contract/record'
import { latest } from './limits/latest.ts'
import { isStop, type Judgement, judgeNow, type Stop } from './line/judgement.ts'
import { rfc3339, type Stage, type Step } from './line/step.ts'
import { decisionLeaf, end, moment } from './memory/leaves.ts'
import type { Ports } from './ports.ts'

/**
 * Server-side dry-run as the executor. The digest of what came out is what people approve; the
 * decision on it becomes a leaf.
 */
export const rehearse: Stage = {
  name: 'rehearse',
  async run(record, ports) {
    const judged = await judgedInTime(record, ports)
    const at = moment(ports)
    if (isStop(judged)) {
      const { stop: reason, message } = judged
      return end(record, at, 'rehearse', { phase: 'refused', reason, message })
    }
    if (judged.decision.effect === 'deny') {
      const { decision, grounds } = judged
      const message = `after the dry-run: ${decision.reason}`
      const ending = { phase: 'refused', reason: 'denied', message, decision, grounds } as const
      return end(record, at, 'rehearse', ending)
    }
    return rehearsed(record, judged, ports)
  },
}

/** An API server that gives no verdict is asked again, for as long as the intent lives. */
async function judgedInTime(record: IntentRecord, ports: Ports): Promise<Judgement | Stop> {
  try {
    return await judgeNow(record, ports)
  } catch (error) {
    const away = error instanceof JackstayError && error.code === 'upstream_unavailable'
    const { exp } = record.authenticated.claims
    if (!away || latest(ports) <= (exp + clockSkew) * 1000) throw error
    return { stop: 'rehearsal_failed', message: error.message }
  }
}

function rehearsed(record: IntentRecord, judged: Judgement, ports: Ports): Step {
  const { plan, decision, grounds, digest } = judged
  const at = moment(ports)
  const patience = decision.requirements.map((r) => r.expiresAfter)
  const data: EventData<'rehearsed'> = {
    plan,
    decision,
    grounds,
    digest,
    catalogueVersion: ports.catalogueVersion,
    ...(patience.length > 0 && { approveBefore: rfc3339(at.at + Math.min(...patience) * 1000) }),
  }
  const proposes =
    ports.cluster.class(record.authenticated.agent.class)?.spec.autonomy === 'propose'
  const outcome = proposes ? 'proposed' : patience.length > 0 ? 'needs_approval' : 'allowed'
  const verdict = { outcome, message: decision.reason, plan, decision, grounds, digest }
  const leaf = decisionLeaf(record, at, 'rehearse', verdict)
  const event = { type: 'rehearsed', at: rfc3339(at.at), data } as const
  if (!proposes) return { go: 'next', events: [event], leaves: [leaf] }
  const ended = end(
    { ...record, rehearsed: { ...data, at: event.at }, seq: record.seq + 1 },
    at,
    'rehearse',
    {
      phase: 'proposed',
      reason: 'autonomy',
      message: 'the class may only propose: nothing was done',
    },
  )
  if (ended.go !== 'end') throw new TypeError('an ending that does not end')
  return { go: 'end', events: [event, ...ended.events], leaves: [leaf, ...ended.leaves] }
}
