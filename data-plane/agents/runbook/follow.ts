import type { IntentView } from '@jackstay/contract/api'
import { type TerminalPhase, terminalPhases } from '@jackstay/contract/history'
import type { Trigger } from '@jackstay/contract/trigger'
import { z } from 'zod'
import { persist } from './persist.ts'
import type { AgentPorts } from './ports.ts'

const pollSeconds = 30
/** What passes quickly may have passed before the question arrives, and is then answered late. */
const quickSeconds = 2
/** An approval may take its hour; then somebody else has to look. */
const followMs = 2 * 3600_000

/** What leaves nothing for a person to do: it worked, or a person has it before them already. */
const done: readonly TerminalPhase[] = ['verified', 'proposed']

/** Tells what becomes of an intent until it ends, or undefined where that takes too long. */
export async function follow(
  first: IntentView,
  { id: triggerId }: Trigger,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<TerminalPhase | undefined> {
  const until = ports.clock.now() + followMs
  let view = first
  for (;;) {
    const { id, phase } = view.summary
    const ended = terminalPhases.find((one) => one === phase)
    if (ended !== undefined) {
      const told = { triggerId, ...described(view), ...ending(view) }
      ports.tell('agent.outcome', told)
      const resolved = view.summary.reason === 'trigger_resolved'
      if (!done.includes(ended) && !resolved) ports.tell('agent.escalated', told)
      return ended
    }
    if (ports.clock.now() > until) {
      const told = { triggerId, id, phase, message: 'still not decided; a person has to look' }
      ports.tell('agent.outcome', told)
      ports.tell('agent.escalated', { ...told, reason: 'undecided' })
      return undefined
    }
    const wait = phase === 'approve' ? pollSeconds : quickSeconds
    view = await persist(ports, until, signal, () => ports.sidecar.intent(id, wait, signal))
    if (view.summary.phase !== phase) {
      ports.tell('agent.intent', { triggerId, ...described(view) })
    }
  }
}

export function described({ summary }: IntentView): Readonly<Record<string, string>> {
  const { id, phase, reason, action, target } = summary
  return { id, phase, ...(reason && { reason }), action, target }
}

const ended = z.object({ reason: z.string(), message: z.string() })

/** Why it ended, in the control plane's words. */
function ending({ events }: IntentView): Readonly<Record<string, string>> {
  const last = events.findLast(({ type }) => type === 'ended')
  const parsed = ended.safeParse(last?.data)
  return parsed.success ? parsed.data : {}
}
