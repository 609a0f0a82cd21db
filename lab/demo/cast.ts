import type { WorldAgent } from '../world/classes.ts'

type Manifest = Readonly<Record<string, unknown>>

/** An agent of a class, and the Pod in whose name it runs. */
export type AgentRole = Omit<WorldAgent, 'targets'>

/** Who and what a demo has on its cluster. */
export interface Cast {
  /** Workloads and what they need, in order. */
  readonly workloads: readonly Manifest[]
  /** Deployments that have to be up before anything breaks, as `namespace/name`. */
  readonly ready: readonly string[]
  /** What makes the classes, their rules, and the demo operator's rights. */
  readonly governance: readonly Manifest[]
  readonly agents: readonly AgentRole[]
}
