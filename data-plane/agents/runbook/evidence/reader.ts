import { JackstayError } from '@jackstay/contract/errors'
import type { z } from 'zod'
import type { Evidence, KindQuery, ListQuery, Sidecar } from '../sidecar.ts'

const pageSize = 25
const mostPages = 8
/** For one look at one Deployment. */
const mostReads = 40

/** Where something stands: its kind, and its namespace unless it has none. */
export type Place = KindQuery

/** Reads with a bound, and keeps the proof of each read. */
export class Reader {
  readonly evidence: Evidence[] = []
  readonly #sidecar: Sidecar
  readonly #signal: AbortSignal

  constructor(sidecar: Sidecar, signal: AbortSignal) {
    this.#sidecar = sidecar
    this.#signal = signal
  }

  async one<S extends z.ZodType>(schema: S, place: Place, name: string): Promise<z.output<S>> {
    this.#demandRoom()
    const { object, evidence } = await this.#sidecar.get({ ...place, name }, this.#signal)
    this.evidence.push(evidence)
    return parsed(schema, object, place)
  }

  /** @throws JackstayError `too_large` rather than leaving anything out */
  async all<S extends z.ZodType>(
    schema: S,
    place: Place,
    options: Partial<Pick<ListQuery, 'labelSelector' | 'limit'>> = {},
  ): Promise<z.output<S>[]> {
    const items: z.output<S>[] = []
    let next: string | undefined
    for (let page = 0; page < mostPages; page++) {
      this.#demandRoom()
      const query = { limit: pageSize, ...place, ...options, ...(next && { continue: next }) }
      const answer = await this.#sidecar.list(query, this.#signal)
      this.evidence.push(answer.evidence)
      items.push(...answer.items.map((item) => parsed(schema, item, place)))
      next = answer.continue
      if (next === undefined) return items
    }
    throw new JackstayError('too_large', `${where(place)} has too many ${place.kind}s to look at`)
  }

  #demandRoom(): void {
    if (this.evidence.length < mostReads) return
    throw new JackstayError('too_large', `more than ${mostReads} reads would be needed to look`)
  }
}

function parsed<S extends z.ZodType>(schema: S, object: unknown, place: Place): z.output<S> {
  const result = schema.safeParse(object)
  if (result.success) return result.data
  const message = `a ${place.kind} of ${where(place)} is not as expected`
  throw new JackstayError('invalid_request', message, { cause: result.error })
}

function where({ namespace }: Place): string {
  return namespace === undefined ? 'the cluster' : `\`${namespace}\``
}
