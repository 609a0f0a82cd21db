import type { KubeClient } from '@jackstay/kube/client'

/** Something that goes wrong, and the alert that tells of it. */
export interface Scene {
  /** What happens, in words, e.g. `somebody scales shop/web to zero`. */
  readonly title: string
  /** What a careful person would do about it; said for it where the demo operator approves. */
  readonly goodAnswer: string
  /** Whether an agent is to ask for something, and not to leave it to people or alone. */
  readonly asks: boolean
  /** Makes it happen; resolves when it shows. */
  begin(client: KubeClient, signal: AbortSignal): Promise<void>
  readonly alert: {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}
