import { JackstayError } from '@jackstay/contract/errors'
import type { Trigger } from '@jackstay/contract/trigger'
import { answer } from './answer.ts'
import { type Subject, subjectOf } from './evidence/subject.ts'
import { type Memory, memory } from './memory.ts'
import type { AgentPorts } from './ports.ts'

const pollSeconds = 30
/** Alerts worked on at once; the rest stay with the control plane. */
const atOnce = 16
const maxDelayMs = 30_000

interface Desk {
  readonly working: Map<string, { readonly triggerId: string; readonly work: Promise<void> }>
  readonly memory: Memory
}

/** Polls for alerts and answers each one, until the signal aborts. */
export async function runAgent(ports: AgentPorts, signal: AbortSignal): Promise<void> {
  const { sidecar, sleep, onDelay, clock } = ports
  const desk: Desk = { working: new Map(), memory: memory(clock) }
  let delay = 500
  while (!signal.aborted) {
    if (desk.working.size >= atOnce) {
      await Promise.race([...desk.working.values()].map(({ work }) => work))
      continue
    }
    try {
      for (const trigger of await sidecar.triggers(pollSeconds, signal)) {
        begin(trigger, desk, ports, signal)
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
  await Promise.allSettled([...desk.working.values()].map(({ work }) => work))
}

/** One alert at a time about one object: two answers to one incident would undo each other. */
function begin(trigger: Trigger, desk: Desk, ports: AgentPorts, signal: AbortSignal): void {
  const { id: triggerId, status, labels } = trigger
  // offered again while it is worked on, or soon after: the control plane's lease is shorter
  const busy = [...desk.working.values()].some((one) => one.triggerId === triggerId)
  if (busy || desk.memory.rests(triggerId)) return
  ports.tell('agent.trigger', { triggerId, status, labels })
  if (status === 'resolved') {
    leave(triggerId, 'it is resolved', ports)
    return
  }
  const subject = subjectOf(trigger)
  if (subject === undefined) {
    desk.memory.looked(triggerId)
    const message =
      'the alert has no usable labels `namespace` and `deployment`, `pod`, `horizontalpodautoscaler` or `service`'
    const escalation = { kind: 'escalate', reason: 'no_deployment_named', message }
    ports.tell('agent.diagnosis', { triggerId, ...escalation })
    ports.tell('agent.escalated', { triggerId, ...escalation })
    return
  }
  const key = keyOf(subject)
  if (desk.working.has(key)) {
    leave(triggerId, `${key} is already being worked on`, ports)
    return
  }
  const { memory } = desk
  const work = answer(trigger, subject, memory, ports, signal).finally(() => {
    memory.looked(triggerId)
    desk.working.delete(key)
  })
  desk.working.set(key, { triggerId, work })
}

function leave(triggerId: string, message: string, ports: AgentPorts): void {
  ports.tell('agent.diagnosis', { triggerId, kind: 'nothing', message })
}

function keyOf({ kind, namespace, name }: Subject): string {
  return `${kind} ${namespace}/${name}`
}
