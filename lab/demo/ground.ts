import type { InstallOptions } from '../install/install.ts'
import type { Cast } from './cast.ts'
import type { Narrator } from './narrator.ts'
import type { Scene } from './scene.ts'

/** The cluster that a demo stands on. */
export interface Ground {
  /** Its client is the demo's only administrator. */
  readonly install: InstallOptions
  readonly cast: Cast
  /** What goes wrong on it; nothing where it goes on from another time. */
  readonly scene: Scene | undefined
  /** The folder of a kubectl for it, where there is one that may not be on the PATH. */
  readonly kubectlFolder?: string
  /** Who fires alerts: a real Alertmanager, which is built first, or the story itself. */
  readonly alerts: 'alertmanager' | 'posted'
  /** Keys, tokens, logs and the ledger; kept by whoever named it, else gone with the demo. */
  readonly directory: string
  /** A kubeconfig whose bearer token is read from a file, again and again. */
  writeKubeconfig(options: { path: string; tokenFile: string }): Promise<string>
  /** Who the demo operator is to the API server, in words. */
  readonly operatorIs: string
  /** Of the demo operator, who approves. */
  operatorKubeconfig(): Promise<string>
  /** What else belongs into the environment of another terminal. */
  readonly exports?: Readonly<Record<string, string>>
  /** What else to type while it runs, and what that does. */
  readonly tries: readonly (readonly [command: string, what: string])[]
  /** Nothing of the demo is left afterwards. */
  clear(): Promise<void>
}

/** What a demo works with from its first step on. */
export interface Backstage {
  /** For everything that ends with the demo; its owner removes it. */
  readonly directory: string
  readonly narrator: Narrator
  readonly signal: AbortSignal
}
