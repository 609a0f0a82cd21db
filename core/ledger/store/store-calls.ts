import { errorCodes, JackstayError } from '@jackstay/contract/errors'
import type { PendingLeaf, PreparedAppend } from './append-request.ts'
import type { Appended, ErasableStore, Store } from './store.ts'

/** What the caller's thread and the one that owns the database say to each other. */

export type StoreMethod = Exclude<keyof ErasableStore, 'origin'>

/** A store behind the door: what it appends was encoded and measured by the caller's thread. */
export interface StoreEngine extends Omit<ErasableStore, 'append' | 'appendLeaves'> {
  append(
    prepared: Omit<PreparedAppend, 'leaves'>,
    leaves: readonly PendingLeaf[],
  ): Promise<Appended>
  appendLeaves(reserved: boolean, leaves: readonly PendingLeaf[]): ReturnType<Store['appendLeaves']>
}

export interface Call {
  readonly id: number
  readonly method: StoreMethod
  readonly args: readonly unknown[]
  /** The caller's clock: the other thread has none of its own. */
  readonly now: number
  /** The last argument of an append; their bytes lie in `leafBytes` of the message. */
  readonly leaves?: readonly PackedLeaf[]
}

/** The calls of one turn of the event loop. */
export interface Calls {
  /** In order; a number stands for that many of `plain`. */
  readonly calls: readonly (Call | number)[]
  /** `appendLeaves` of plain leaves, which are many, as numbers: objects cost more than the leaf. */
  readonly plain: Float64Array<ArrayBuffer>
  readonly leafBytes: ArrayBuffer
}

/** An `appendLeaves` of leaves that are nothing but their bytes. */
export interface PlainAppend {
  readonly id: number
  readonly now: number
  readonly reserved: boolean
  readonly start: number
  readonly lengths: readonly number[]
}

export function isPlain({ intent, seq, sealed, ...rest }: PendingLeaf): boolean {
  return intent === null && seq === null && sealed.length === 0 && Object.keys(rest).length === 1
}

export function writePlain(numbers: number[], append: PlainAppend): void {
  const { id, now, reserved, start, lengths } = append
  numbers.push(id, now, Number(reserved), start, lengths.length, ...lengths)
}

export function* readPlain(numbers: Float64Array): Generator<PlainAppend> {
  for (let at = 0; at < numbers.length; ) {
    const id = numbers[at++] ?? 0
    const now = numbers[at++] ?? 0
    const reserved = numbers[at++] === 1
    const start = numbers[at++] ?? 0
    const lengths = many(numbers, at)
    at += 1 + lengths.length
    yield { id, now, reserved, start, lengths }
  }
}

export function plainLeaves(buffer: ArrayBuffer, { start, lengths }: PlainAppend): PendingLeaf[] {
  let at = start
  return lengths.map((length) => {
    const bytes = new Uint8Array(buffer, at, length)
    at += length
    return { intent: null, seq: null, sealed: [], bytes }
  })
}

export function writeAppended(numbers: number[], id: number, leafIndexes: readonly number[]): void {
  numbers.push(id, leafIndexes.length, ...leafIndexes)
}

export function* readAppended(
  numbers: Float64Array,
): Generator<{ readonly id: number; readonly leafIndexes: readonly number[] }> {
  for (let at = 0; at < numbers.length; ) {
    const id = numbers[at++] ?? 0
    const leafIndexes = many(numbers, at)
    at += 1 + leafIndexes.length
    yield { id, leafIndexes }
  }
}

/** The numbers behind the one that says how many. */
function many(numbers: Float64Array, at: number): number[] {
  const found: number[] = []
  const count = numbers[at] ?? 0
  for (let i = 1; i <= count; i++) found.push(numbers[at + i] ?? 0)
  return found
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PortableError }

export type Report =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly error: PortableError }
  /** `appended` answers the calls that came as `plain`. */
  | {
      readonly kind: 'answers'
      readonly answers: readonly Answer[]
      readonly appended: Float64Array
    }
  /** The store can no longer say what is durable: nothing is answered any more. */
  | { readonly kind: 'fatal'; readonly error: PortableError }

/** What the thread is started with. */
export interface StoreThread {
  readonly directory: string
  readonly origin: string
  readonly skey: string
  readonly queueLimit: number
}

export interface PackedLeaf extends Omit<PendingLeaf, 'bytes'> {
  readonly start: number
  readonly length: number
}

/** Puts the bytes of all leaves one after the other into one buffer, which can be handed over. */
export function packLeaves(leaves: readonly PendingLeaf[]): ArrayBuffer {
  const packed = new Uint8Array(leaves.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const { bytes } of leaves) {
    packed.set(bytes, at)
    at += bytes.length
  }
  return packed.buffer
}

export function unpackLeaf(
  buffer: ArrayBuffer,
  { start, length, ...leaf }: PackedLeaf,
): PendingLeaf {
  return { ...leaf, bytes: new Uint8Array(buffer, start, length) }
}

/** An error as both threads can hold it: its class does not travel, its code must. */
export interface PortableError {
  readonly code: string
  readonly message: string
  readonly cause?: string
}

export function portable(error: unknown): PortableError {
  if (!(error instanceof JackstayError)) return { code: 'internal', message: textOf(error) }
  const { code, message, cause } = error
  return { code, message, ...(cause === undefined ? {} : { cause: textOf(cause) }) }
}

export function revived({ code, message, cause }: PortableError): JackstayError {
  const options = cause === undefined ? {} : { cause: new Error(cause) }
  return new JackstayError(isErrorCode(code) ? code : 'internal', message, options)
}

function isErrorCode(code: string): code is keyof typeof errorCodes {
  return Object.hasOwn(errorCodes, code)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
