import { z } from 'zod'
import type { Asking, Incident } from '../incident.ts'
import { type Asked, type Deeds, isReference } from '../verdict.ts'
import type { Stand } from './stand.ts'
import { deskFor } from './stand.ts'

const texts = z.record(z.string(), z.string())
const triggered = z.object({
  event: z.literal('agent.trigger'),
  triggerId: z.string(),
  labels: texts,
})
const about = z.looseObject({ event: z.string(), triggerId: z.string() })
const target = z.object({
  ...{ apiVersion: z.string(), kind: z.string(), name: z.string() },
  namespace: z.string().optional(),
})
const proposed = z
  .object({ action: z.string(), target, params: z.record(z.string(), z.json()) })
  .transform(({ action, target: { namespace, ...named }, params }): Asking => {
    return { action, target: { ...named, ...(namespace && { namespace }) }, params }
  })
const diagnosis = z.object({ kind: z.string(), evidence: z.array(z.unknown()).default([]) })
const intent = z.object({ id: z.string(), phase: z.string(), reason: z.string().optional() })
const words = z.object({
  reason: z.string().default(''),
  message: z.string().default(''),
  phase: z.string().optional(),
})

/** Fires the alert and follows what the runbook agent does about it, to its end. */
export async function agentsAnswer(
  stand: Stand,
  incident: Incident,
  signal: AbortSignal,
): Promise<Deeds> {
  const { talk } = deskFor(stand, incident)
  const { labels } = incident.alert
  const since = talk.said
  const firing = await stand.alerts.fire(incident.alert)
  try {
    const first = await talk.next(since, (event) => isAbout(event, labels), signal)
    const { triggerId } = triggered.parse(first.event)
    return await follow(stand, incident, triggerId, first.after, signal)
  } finally {
    await firing.resolve()
  }
}

function isAbout(event: unknown, labels: Readonly<Record<string, string>>): boolean {
  const parsed = triggered.safeParse(event)
  return (
    parsed.success &&
    Object.entries(labels).every(([name, value]) => parsed.data.labels[name] === value)
  )
}

async function follow(
  stand: Stand,
  incident: Incident,
  triggerId: string,
  from: number,
  signal: AbortSignal,
): Promise<Deeds> {
  const { talk } = deskFor(stand, incident)
  let [since, evidence] = [from, 0]
  let proposal: Asking | undefined
  const asked: Asked[] = []
  for (;;) {
    const isIt = (event: unknown) => {
      const parsed = about.safeParse(event)
      return parsed.success && parsed.data.triggerId === triggerId
    }
    const { event, after } = await talk.next(since, isIt, signal)
    since = after
    switch (event.event) {
      case 'agent.diagnosis': {
        const found = diagnosis.parse(event)
        evidence = found.evidence.length
        if (found.kind === 'nothing') return { asked }
        if (found.kind === 'propose') proposal = proposed.parse(event)
        break
      }
      case 'agent.intent': {
        const { id, phase } = intent.parse(event)
        if (phase !== 'approve' || proposal === undefined) break
        const right = isReference(incident, proposal)
        const why = right ? 'this is what ends it' : 'this is not what it needs'
        const verdict = right ? 'approve' : 'reject'
        await stand.oncall.answer(id, proposal.target.namespace, verdict, why)
        break
      }
      case 'agent.outcome': {
        const { phase = '', reason, message } = words.parse(event)
        if (proposal !== undefined) asked.push({ asking: proposal, phase, reason, message })
        if (phase === 'verified' || phase === 'proposed') return { asked }
        break
      }
      case 'agent.escalated': {
        const { reason, message } = words.parse(event)
        return { asked, told: { reason, message, evidence } }
      }
    }
  }
}
