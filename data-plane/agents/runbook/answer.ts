import type { IntentView } from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import type { Trigger } from '@jackstay/contract/trigger'
import type { Proposal } from './diagnoses/diagnosis.ts'
import { type Investigation, investigate } from './evidence/investigate.ts'
import type { Subject } from './evidence/subject.ts'
import { described, follow } from './follow.ts'
import type { Memory } from './memory.ts'
import { persist } from './persist.ts'
import type { AgentPorts } from './ports.ts'

/** How long an alert may wait for what is away before a person has to look. */
const persistMs = 5 * 60_000
/** How long Pods may be on their way before that is taken for a state. */
const settleMs = 2 * 60_000
const maxPauseMs = 15_000

/** Answers one alert, to its outcome or to a person. Never throws. */
export async function answer(
  trigger: Trigger,
  subject: Subject,
  memory: Memory,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<void> {
  try {
    await look(trigger, subject, memory, ports, signal)
  } catch (error) {
    if (signal.aborted) return
    const code = error instanceof JackstayError ? error.code : 'internal'
    const message = error instanceof Error ? error.message : String(error)
    const told = { triggerId: trigger.id, phase: 'escalated', code, message }
    ports.tell('agent.outcome', told)
    ports.tell('agent.escalated', { ...told, reason: code })
  }
}

async function look(
  trigger: Trigger,
  subject: Subject,
  memory: Memory,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<void> {
  const until = ports.clock.now() + persistMs
  const asked = await persist(ports, until, signal, async () => {
    // looked at anew each time: the world moved while we waited
    const found = await settled(subject, ports, signal)
    return await decide(trigger, found, memory, ports, signal)
  })
  if (asked === undefined) return
  const { proposal, view } = asked
  const ended = await follow(view, trigger, ports, signal)
  // nobody judged it and nothing was done: the cluster, a rule or the class moved under it
  if (ended === 'obsolete') memory.forget(proposal)
}

/** Looks again while what is seen is only on its way to something. */
async function settled(
  subject: Subject,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<Investigation> {
  const until = ports.clock.now() + settleMs
  for (let pause = 1000; ; pause = Math.min(pause * 2, maxPauseMs)) {
    const found = await investigate(subject, ports, signal)
    const { diagnosis } = found
    const unsettled = diagnosis.kind === 'escalate' && diagnosis.reason === 'unsettled'
    if (!unsettled || ports.clock.now() + pause > until) return found
    await ports.sleep(pause, signal)
    signal.throwIfAborted()
  }
}

interface Asked {
  readonly proposal: Proposal
  readonly view: IntentView
}

async function decide(
  { id: triggerId }: Trigger,
  { diagnosis, evidence }: Investigation,
  memory: Memory,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<Asked | undefined> {
  ports.tell('agent.diagnosis', { triggerId, ...diagnosis, evidence })
  if (diagnosis.kind === 'nothing') return undefined
  if (diagnosis.kind === 'escalate') {
    ports.tell('agent.escalated', { triggerId, ...diagnosis })
    return undefined
  }
  if (memory.asked(diagnosis, triggerId)) {
    const message = `${diagnosis.action} was asked for already and the incident is still here`
    ports.tell('agent.escalated', { triggerId, reason: 'asked_before', message })
    return undefined
  }
  try {
    const view = await ports.sidecar.propose(diagnosis, { evidence, triggerId }, signal)
    memory.ask(diagnosis, triggerId)
    ports.tell('agent.intent', { triggerId, ...described(view) })
    return { proposal: diagnosis, view }
  } catch (error) {
    // only what certainly did not arrive may be sent once more
    if (!(error instanceof JackstayError) || !error.retryable) memory.ask(diagnosis, triggerId)
    throw error
  }
}
