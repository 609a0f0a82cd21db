import type { KubeClient } from '@jackstay/kube/client'
import type { Reference } from '../incidents/incident.ts'

/** Something that goes wrong, and the alert that tells of it. */
export interface Scene {
  /** What happens, in words, e.g. `somebody scales shop/web to zero`. */
  readonly title: string
  /** What a careful person would do about it; said for it where the demo operator approves. */
  readonly goodAnswer: string
  /** What an agent is to do: ask for a change, tell people, or leave it alone. */
  readonly answer: Reference['kind']
  /** Makes it happen; resolves when it shows. */
  begin(client: KubeClient, signal: AbortSignal): Promise<void>
  readonly alert: {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}
