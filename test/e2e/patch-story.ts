import type { Step } from './patch-twin.ts'

/** An object of one kind and what becomes of it, write by write. */
export interface Story {
  readonly title: string
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly steps: readonly Step[]
}

export type Fields = Readonly<Record<string, unknown>>

/** Of the object that a story is about. */
export const name = 'one'

export function write(how: Step['how'], manager: string, what: string, body: unknown): Step {
  return { what, how, manager, body }
}
