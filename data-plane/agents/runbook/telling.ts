import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { AgentPorts } from './ports.ts'

/**
 * Tells each step as one event on standard output, and counts what people watch. An agent has no
 * right to write anywhere: an escalation reaches a person by the alert that is still firing, by this
 * event (level `warn`) and by the counter, on which an alert of one's own can be set.
 */
export function telling(log: Log, metrics: Metrics): AgentPorts['tell'] {
  const diagnoses = metrics.counter('jackstay_runbook_diagnoses_total', 'what alerts led to', [
    'kind',
    'reason',
  ])
  const escalations = metrics.counter(
    'jackstay_runbook_escalations_total',
    'alerts that a person has to look at, by why',
    ['reason'],
  )
  const outcomes = metrics.counter('jackstay_runbook_outcomes_total', 'how intents ended', [
    'phase',
  ])
  return (event, detail) => {
    log[event === 'agent.escalated' ? 'warn' : 'info']({ event, ...detail }, event)
    const label = (name: string) => {
      const value = detail[name]
      return typeof value === 'string' ? value : ''
    }
    if (event === 'agent.escalated') escalations.inc({ reason: label('reason') || label('phase') })
    if (event === 'agent.outcome') outcomes.inc({ phase: label('phase') })
    if (event === 'agent.diagnosis') {
      diagnoses.inc({ kind: label('kind'), reason: label('reason') || label('action') })
    }
  }
}
