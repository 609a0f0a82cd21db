import { readCheckpoint } from '../log/checkpoint.ts'
import { openNote, parseSignatureLine, splitNote, type Verifier } from '../log/note.ts'
import type { Hash } from '../log/tree.ts'
import { formatAddCheckpoint, sizeContentType, sizeFrom } from './add-checkpoint.ts'
import { boundedText } from './http-body.ts'

export interface Requester {
  /** Never follows redirects: pass `redirect: 'error'` on. */
  readonly fetch: (
    url: URL,
    init: {
      readonly method: 'POST'
      readonly body: string
      readonly signal: AbortSignal
      readonly redirect: 'error'
      readonly headers?: Readonly<Record<string, string>>
    },
  ) => Promise<Response>
  readonly signal: AbortSignal
  /** For each request, in milliseconds. */
  readonly timeoutMs: number
  /** Waits between tries, and rejects when the signal aborts. */
  readonly wait: (ms: number) => Promise<void>
  /** From 0 to 1, for the jitter of those waits. */
  readonly random: () => number
}

export interface WitnessRequest {
  readonly witness: {
    readonly url: URL
    readonly verifier: Verifier
  }
  /** The log's own key: other signatures on the note are not sent along. */
  readonly log: Verifier
  readonly note: string
  /** What this witness had last time; 0 when that is not known, and it will say. */
  readonly knownSize: number
  /** RFC 6962 consistency, from the log. */
  readonly prove: (from: number, to: number) => Promise<readonly Hash[]>
}

export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly lines: readonly string[] }
  /** The witness has seen another log: one larger than ours, or one that ours does not extend. */
  | { readonly kind: 'contradicts'; readonly problem: string; readonly witnessSize?: number }
  /** It does not know the log or the key, or answers nonsense. */
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'unreachable'; readonly problem: string }

const tries = 4
const firstWaitMs = 250
const answerLimit = 64 * 1024

type Reply =
  | { readonly kind: 'again'; readonly problem: string }
  | { readonly kind: 'conflict'; readonly size: number }
  | WitnessAnswer

/**
 * Asks a witness to cosign (https://c2sp.org/tlog-witness). A witness that has seen less or more
 * says how much, and is asked again from there; one that is away is asked a few times.
 */
export async function requestCosignature(
  request: WitnessRequest,
  requester: Requester,
): Promise<WitnessAnswer> {
  const mine = ownCheckpoint(request)
  if (mine === undefined) return { kind: 'refused', problem: 'not a checkpoint of this log' }
  let oldSize = Math.min(request.knownSize, mine.size)
  let problem = ''
  for (let n = 0; n < tries; n++) {
    const proof = await request.prove(oldSize, mine.size)
    const body = formatAddCheckpoint({ oldSize, proof, checkpoint: mine.note })
    const reply = await post(request.witness.url, body, mine.note, request, requester)
    if (reply.kind === 'again') {
      problem = reply.problem
      if (n + 1 < tries) await requester.wait(firstWaitMs * 2 ** n * (0.5 + requester.random()))
    } else if (reply.kind === 'conflict') {
      const { size } = reply
      if (size > mine.size) {
        problem = `it has cosigned ${size} leaves, this log has ${mine.size}`
        return { kind: 'contradicts', problem, witnessSize: size }
      }
      if (size === oldSize && size === mine.size) {
        problem = `it has cosigned another tree of ${size} leaves`
        return { kind: 'contradicts', problem, witnessSize: size }
      }
      problem = `it keeps answering with size ${size}`
      oldSize = size
    } else return reply
  }
  return { kind: 'unreachable', problem }
}

/** The checkpoint with the log's signature alone. */
function ownCheckpoint({
  note,
  log,
}: WitnessRequest): { readonly note: string; readonly size: number } | undefined {
  const opened = openNote(note, [log])
  const read = readCheckpoint(opened.ok ? opened.text : '')
  const parts = splitNote(note)
  if (!opened.ok || !read.ok || parts === undefined) return undefined
  const own = parts.signatureLines.filter((line) => {
    const signature = parseSignatureLine(line)
    return signature?.name === log.name && signature.keyId === log.keyId
  })
  return { note: `${parts.text}\n${own.join('')}`, size: read.checkpoint.size }
}

async function post(
  prefix: URL,
  body: string,
  note: string,
  { witness }: WitnessRequest,
  { fetch, signal, timeoutMs }: Requester,
): Promise<Reply> {
  const url = new URL('add-checkpoint', prefix.href.endsWith('/') ? prefix : `${prefix.href}/`)
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const response = await fetch(url, { method: 'POST', body, signal: limit, redirect: 'error' })
    const text = await boundedText(response.body, answerLimit)
    return text === undefined
      ? { kind: 'refused', problem: 'its answer has no end' }
      : read(response, text, note, witness.verifier)
  } catch (error) {
    // Whoever gave up gets the abort; everything else is the network's.
    signal.throwIfAborted()
    return { kind: 'again', problem: reasonOf(error) }
  }
}

function read(response: Response, text: string, note: string, verifier: Verifier): Reply {
  const { status } = response
  if (status === 200) return cosignatures(text, note, verifier)
  if (status === 409) {
    const size = sizeFrom(text.replace(/\n$/, ''))
    const declared = response.headers.get('content-type')?.startsWith(sizeContentType)
    if (declared && size !== undefined) return { kind: 'conflict', size }
    return { kind: 'contradicts', problem: `it answered 409: ${firstLine(text)}` }
  }
  if (status === 422) {
    return { kind: 'contradicts', problem: `this log does not extend what it saw` }
  }
  if (status === 429 || status >= 500) return { kind: 'again', problem: `it answered ${status}` }
  return { kind: 'refused', problem: `it answered ${status}: ${firstLine(text)}` }
}

/** Only what verifies with the key that is trusted; lines of other keys are dropped. */
function cosignatures(text: string, note: string, verifier: Verifier): Reply {
  const lines = text.split(/(?<=\n)/).filter((line) => {
    const signature = parseSignatureLine(line)
    return signature?.name === verifier.name && signature.keyId === verifier.keyId
  })
  const opened = openNote(`${note}${lines.join('')}`, [verifier])
  if (opened.ok) return { kind: 'cosigned', lines }
  return { kind: 'refused', problem: `its cosignature is no good: ${opened.problem}` }
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 200) ?? ''
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'it is too slow'
  const { cause } = error
  if (cause instanceof Error && 'code' in cause) return `it does not answer (${cause.code})`
  return `it does not answer (${error.message})`
}
