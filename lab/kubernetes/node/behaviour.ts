/** What a container of some image does once it runs. All times in milliseconds. */
export interface Behaviour {
  /** From being scheduled to running. */
  readonly startMs: number
  /** From running to passing its readiness probe; never, where it does not. */
  readonly readyMs: number | undefined
  /** Bytes it comes to use; more than its limit, and it is killed for it. */
  readonly memory: number
  /** Ends by itself after a while. */
  readonly exit?: { readonly code: number; readonly afterMs: number }
}

/** By image; undefined where no registry has it. */
export type Behaviours = (image: string) => Behaviour | undefined

/** A server that does its work. */
export const wellBehaved: Behaviour = { startMs: 400, readyMs: 600, memory: 32 * 2 ** 20 }
