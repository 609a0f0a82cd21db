import type { KubeClient } from '@jackstay/kube/client'

/** Something that goes wrong, and the alert that tells of it. */
export interface Scene {
  /** What happens, in words, e.g. `somebody scales shop/web to zero`. */
  readonly title: string
  /** Makes it happen; resolves when it shows. */
  begin(client: KubeClient, signal: AbortSignal): Promise<void>
  /** Undefined where nothing fires. */
  readonly alert: {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  /** Why the demo operator agrees to what is asked for. */
  readonly reason: string
}
