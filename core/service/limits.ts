/** Bounds of one program's HTTP side. Times in milliseconds. */
export interface Limits {
  /** Bytes of any request body; a reader of `body.ts` may ask for less. */
  readonly bodyBytes: number
  /** From the headers to the end of the answer. */
  readonly requestMs: number
  /** How far `extendDeadline` can move that, counted from the start of the request. */
  readonly maxRequestMs: number
  /** From the connection (or the previous answer) to the end of the headers. */
  readonly headerMs: number
  /** How long a connection may idle between two requests. */
  readonly idleMs: number
  readonly maxConnections: number
  /** Requests being worked on at once, health and metrics not counted. */
  readonly inFlight: number
  /** Of them before their credentials were checked, where the app can tell; and of those from one address. */
  readonly strangers: number
  readonly strangersPerSource: number
  /** From the headers to checked credentials. */
  readonly strangerMs: number
  /** Places each known caller has for itself, however many others are taken. */
  readonly ownPlaces: number
}

export const defaultLimits: Limits = {
  bodyBytes: 1024 * 1024,
  requestMs: 15_000,
  maxRequestMs: 120_000,
  headerMs: 10_000,
  idleMs: 15_000,
  maxConnections: 1024,
  inFlight: 512,
  strangers: 256,
  strangersPerSource: 64,
  strangerMs: 5_000,
  ownPlaces: 16,
}

export function limitsOf(given: Partial<Limits> = {}): Limits {
  return { ...defaultLimits, ...given }
}
