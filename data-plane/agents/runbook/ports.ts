import type { JackstayError } from '@jackstay/contract/errors'
import type { Sidecar } from './sidecar.ts'

/** `agent.escalated` is what a person has to see: whatever it says, the agent does nothing more. */
export type AgentEvent =
  | 'agent.trigger'
  | 'agent.diagnosis'
  | 'agent.intent'
  | 'agent.outcome'
  | 'agent.escalated'

export interface AgentPorts {
  readonly sidecar: Sidecar
  /** Each step as it happens. */
  readonly tell: (event: AgentEvent, detail: Readonly<Record<string, unknown>>) => void
  /** What delays the agent and passes by itself. */
  readonly onDelay: (error: JackstayError) => void
  readonly clock: { now(): number }
  /** Resolves after `ms`, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** How long a node has to be cordoned before that counts as left behind. */
  readonly cordonSettledMs: number
}
