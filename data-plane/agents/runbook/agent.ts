import type { IntentView } from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import { terminalPhases } from '@jackstay/contract/history'
import type { Trigger } from '@jackstay/contract/trigger'
import { z } from 'zod'
import type { Proposal } from './diagnose.ts'
import { type Investigation, investigate, type Subject, subjectOf } from './investigate.ts'
import type { Sidecar } from './sidecar.ts'

export type AgentEvent = 'agent.trigger' | 'agent.diagnosis' | 'agent.intent' | 'agent.outcome'

export interface AgentPorts {
  readonly sidecar: Sidecar
  /** Each step as it happens. */
  readonly tell: (event: AgentEvent, detail: Readonly<Record<string, unknown>>) => void
  /** What delays the agent and passes by itself. */
  readonly onDelay: (error: JackstayError) => void
  readonly clock: { now(): number }
  /** Resolves after `ms`, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

const pollSeconds = 30
/** Alerts worked on at once; the rest stay with the control plane. */
const atOnce = 16
/** How long an alert may wait for what is away before a person has to look. */
const persistMs = 5 * 60_000
const maxDelayMs = 30_000
/** An approval may take its hour; then somebody else has to look. */
const followMs = 2 * 3600_000

/** Polls for alerts and answers each one, until the signal aborts. */
export async function runAgent(ports: AgentPorts, signal: AbortSignal): Promise<void> {
  const { sidecar, sleep, onDelay } = ports
  const working = new Map<string, Promise<void>>()
  let delay = 500
  while (!signal.aborted) {
    if (working.size >= atOnce) {
      await Promise.race(working.values())
      continue
    }
    try {
      for (const trigger of await sidecar.triggers(pollSeconds, signal)) {
        begin(trigger, working, ports, signal)
      }
      delay = 500
    } catch (error) {
      if (signal.aborted) break
      if (!(error instanceof JackstayError)) throw error
      onDelay(error)
      await sleep(delay, signal)
      delay = Math.min(delay * 2, maxDelayMs)
    }
  }
  await Promise.allSettled(working.values())
}

/** One alert at a time about one Deployment: two answers to one incident would undo each other. */
function begin(
  trigger: Trigger,
  working: Map<string, Promise<void>>,
  ports: AgentPorts,
  signal: AbortSignal,
): void {
  const { id, status, labels } = trigger
  ports.tell('agent.trigger', { triggerId: id, status, labels })
  const subject = subjectOf(trigger)
  if (status === 'resolved') {
    ports.tell('agent.diagnosis', { triggerId: id, kind: 'nothing', message: 'it is resolved' })
    return
  }
  if (subject === undefined) {
    ports.tell('agent.diagnosis', {
      triggerId: id,
      kind: 'escalate',
      reason: 'no_deployment_named',
      message: 'the alert has no usable labels `namespace` and `deployment`',
    })
    return
  }
  const key = `${subject.namespace}/${subject.name}`
  if (working.has(key)) {
    const message = `Deployment ${key} is already being worked on`
    ports.tell('agent.diagnosis', { triggerId: id, kind: 'nothing', message })
    return
  }
  const work = answer(trigger, subject, ports, signal)
    .catch((error: unknown) => {
      if (signal.aborted) return
      const code = error instanceof JackstayError ? error.code : 'internal'
      const message = error instanceof Error ? error.message : String(error)
      ports.tell('agent.outcome', { triggerId: id, phase: 'escalated', code, message })
    })
    .finally(() => working.delete(key))
  working.set(key, work)
}

async function answer(
  trigger: Trigger,
  subject: Subject,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<void> {
  const until = ports.clock.now() + persistMs
  const view = await persist(ports, until, signal, async () => {
    // looked at anew each time: the world moved while we waited
    const investigation = await investigate(subject, ports.sidecar, signal)
    return await propose(trigger, investigation, ports, signal)
  })
  if (view) await follow(view, trigger, ports, signal)
}

/** Tries again what failed for a passing reason. */
async function persist<T>(
  { sleep, onDelay, clock }: AgentPorts,
  until: number,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (let delay = 1000; ; delay = Math.min(delay * 2, maxDelayMs)) {
    try {
      return await work()
    } catch (error) {
      const passing = error instanceof JackstayError && error.retryable
      if (!passing || signal.aborted || clock.now() + delay > until) throw error
      onDelay(error)
      await sleep(delay, signal)
      signal.throwIfAborted()
    }
  }
}

async function propose(
  { id: triggerId }: Trigger,
  { diagnosis, evidence }: Investigation,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<IntentView | undefined> {
  ports.tell('agent.diagnosis', { triggerId, ...diagnosis, evidence })
  if (diagnosis.kind !== 'propose') return undefined
  const proposal: Proposal = diagnosis
  const view = await ports.sidecar.propose(proposal, { evidence, triggerId }, signal)
  ports.tell('agent.intent', { triggerId, ...described(view) })
  return view
}

async function follow(
  first: IntentView,
  { id: triggerId }: Trigger,
  ports: AgentPorts,
  signal: AbortSignal,
): Promise<void> {
  const until = ports.clock.now() + followMs
  let view = first
  while (!isTerminal(view)) {
    if (ports.clock.now() > until) {
      const message = 'still not decided; a person has to look'
      const { id, phase } = view.summary
      ports.tell('agent.outcome', { triggerId, id, phase, message })
      return
    }
    const { id, phase } = view.summary
    view = await persist(ports, until, signal, () => ports.sidecar.intent(id, pollSeconds, signal))
    if (view.summary.phase !== phase) {
      ports.tell('agent.intent', { triggerId, ...described(view) })
    }
  }
  ports.tell('agent.outcome', { triggerId, ...described(view), ...ending(view) })
}

function isTerminal({ summary }: IntentView): boolean {
  return terminalPhases.some((phase) => phase === summary.phase)
}

function described({ summary }: IntentView) {
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
