import { intentView } from '@jackstay/contract/api'
import { type Phase, terminalPhases } from '@jackstay/contract/history'
import { z } from 'zod'
import type { Asking } from '../incident.ts'
import type { Asked } from '../verdict.ts'
import type { Oncall } from './oncall.ts'
import type { Desk } from './stand.ts'

const waitSeconds = 20
const ended = z.object({ message: z.string() })
const ends: readonly Phase[] = terminalPhases

export interface Scripted {
  readonly desk: Desk
  readonly oncall: Oncall
  readonly asking: Asking
  /** What whoever is on call says, should it come to that. */
  readonly verdict: 'approve' | 'reject'
  readonly signal: AbortSignal
}

/** Asks through a real sidecar, as an agent would that thinks so, and follows it to its end. */
export async function ask(scripted: Scripted): Promise<Asked> {
  const { desk, oncall, asking, verdict, signal } = scripted
  const { action, target, params } = asking
  const summary = `played by the lab: ${action} on ${target.name}`
  const body = { target, params, reasoning: { summary, evidence: [] } }
  let view = await call(desk, `/v1/actions/${action}?wait=${waitSeconds}`, signal, body)
  let answered = false
  for (;;) {
    const { id, phase, reason } = view.summary
    if (ends.includes(phase)) {
      const last = ended.safeParse(view.events.findLast(({ type }) => type === 'ended')?.data)
      const message = last.success ? last.data.message : undefined
      return { asking, phase, reason, message }
    }
    if (phase === 'approve' && !answered) {
      const why = verdict === 'approve' ? 'this is what ends it' : 'this is not what it needs'
      await oncall.answer(id, target.namespace, verdict, why)
      answered = true
    }
    view = await call(desk, `/v1/intents/${id}?wait=${answered ? waitSeconds : 1}`, signal)
  }
}

async function call({ sidecar }: Desk, path: string, signal: AbortSignal, body?: object) {
  const response = await fetch(`${sidecar.url}${path}`, {
    signal,
    ...(body && {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`the sidecar answered ${response.status}: ${text}`)
  return intentView.parse(JSON.parse(text))
}
