/** What a container of some image does once it runs. All times in the lab's milliseconds. */
export interface Behaviour {
  /** From being scheduled to running. */
  readonly startMs: number
  /** From running to passing its readiness probe; never, where it does not. */
  readonly readyMs: number | undefined
  /** Bytes it comes to use; more than its limit, and it is killed for it. */
  readonly memory: number
  /** Ends by itself after a while. */
  readonly exit?: { readonly code: number; readonly afterMs: number }
  /** What it listens at; a probe of anything else fails. Without it every probe passes. */
  readonly serves?: readonly Served[]
  /** Lines of its log: what it says as it starts, or last before it ends with an error. */
  readonly says?: readonly string[]
  /** CPU, in cores, that all containers of the image in a namespace use together. */
  readonly load?: number
}

export interface Served {
  readonly port: number
  /** Of HTTP; without it every path is answered. */
  readonly path?: string | undefined
}

/** By image; undefined where no registry has it. */
export type Behaviours = (image: string) => Behaviour | undefined

/** A server that does its work. */
export const wellBehaved: Behaviour = { startMs: 400, readyMs: 600, memory: 32 * 2 ** 20 }
