import { JackstayError } from '@jackstay/contract/errors'
import type { DescribeAnswer } from '@jackstay/contract/reads'

type Missing = DescribeAnswer['missing'][number]

/** Notes the parts that fail, so that the rest can still be told. */
export class Parts {
  readonly missing: Missing[] = []
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  note(what: string, why: string): void {
    this.missing.push({ what, why })
  }

  /** The value, or `otherwise` and a note of why. */
  async of<T>(what: string, read: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await read
    } catch (error) {
      if (this.#signal.aborted || !(error instanceof JackstayError)) throw error
      this.note(what, error.message)
      return otherwise
    }
  }
}
