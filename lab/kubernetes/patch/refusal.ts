/** One field of a refusal, as a `Status` lists it among its causes. */
export interface RefusalCause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

/** A patch that is not taken: what the API server's `Status` says about it. */
export class PatchRefusal extends Error {
  /** HTTP status. */
  readonly code: number
  readonly reason: string
  readonly causes: readonly RefusalCause[]

  constructor(code: number, reason: string, message: string, causes: readonly RefusalCause[] = []) {
    super(message)
    this.name = 'PatchRefusal'
    this.code = code
    this.reason = reason
    this.causes = causes
  }
}

export function badPatch(message: string): PatchRefusal {
  return new PatchRefusal(400, 'BadRequest', message)
}

/** The API server keeps to itself what it did not like; `detail` is for our own tests and logs. */
export function unprocessable(detail: string): PatchRefusal {
  const message = 'the server rejected our request due to an error in our request'
  return Object.assign(new PatchRefusal(422, 'Invalid', message), { cause: detail })
}

export function internal(message: string): PatchRefusal {
  return new PatchRefusal(500, '', message)
}
