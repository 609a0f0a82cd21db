import { join } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { z } from 'zod'
import { readCheckpoint } from '../log/checkpoint.ts'
import type { LedgerDefect } from '../log/ledger-defect.ts'
import { splitNote } from '../log/note.ts'
import type { TileReader } from '../log/reader.ts'
import { readIfThere, replaceDurably } from '../store/durable-file.ts'
import type { Clock } from '../store/store.ts'
import type { Anchor, AnchorState } from './anchor.ts'
import { contradiction } from './kept-checkpoint.ts'

/** In the data directory: what each anchor took last. */
const fileName = 'anchors.json'

const stored = z.record(
  z.string(),
  z.object({
    pushed: z.object({ note: z.string(), size: z.number(), at: z.string() }).optional(),
    error: z.object({ message: z.string(), at: z.string() }).optional(),
  }),
)

export interface Anchoring {
  /** Pushes the checkpoint to every anchor that has an older one. Never throws for an anchor's sake. */
  push(note: string, signal: AbortSignal): Promise<readonly AnchorState[]>
  states(): readonly AnchorState[]
  /**
   * Compares the log with every checkpoint that is kept: by the anchors that show theirs, and by our
   * own note of the others. What an anchor that is away keeps is not compared, and said so.
   */
  compare(read: TileReader, vkey: string, signal: AbortSignal): Promise<Comparison>
}

export interface Comparison {
  /** The log is not the one that was anchored. */
  readonly contradicted: readonly { readonly anchor: string; readonly defect: LedgerDefect }[]
  readonly unread: readonly { readonly anchor: string; readonly message: string }[]
}

/** @throws JackstayError `invalid_config` when the state in `directory` is unreadable */
export async function openAnchoring(
  anchors: readonly Anchor[],
  directory: string,
  clock: Clock,
): Promise<Anchoring> {
  const path = join(directory, fileName)
  const known = await readStates(path)
  const states = () =>
    anchors.map(({ name }): AnchorState => ({ name, ...withoutUndefined(known[name] ?? {}) }))
  return {
    states,
    async push(note, signal) {
      const now = () => new Date(clock.now()).toISOString()
      const size = sizeOf(note)
      const due = anchors.filter(({ name }) => known[name]?.pushed?.note !== note)
      const settle = async (anchor: Anchor) => {
        try {
          await anchor.push(note, signal)
          known[anchor.name] = { pushed: { note, size, at: now() } }
        } catch (error) {
          const failed = { error: { message: messageOf(error), at: now() } }
          known[anchor.name] = { ...known[anchor.name], ...failed }
        }
      }
      await Promise.all(due.map(settle))
      if (due.length > 0) await replaceDurably(path, `${JSON.stringify(known, null, 2)}\n`)
      return states()
    },
    async compare(read, vkey, signal) {
      const contradicted: { anchor: string; defect: LedgerDefect }[] = []
      const unread: { anchor: string; message: string }[] = []
      for (const anchor of anchors) {
        const kept = new Set([known[anchor.name]?.pushed?.note])
        try {
          kept.add(await anchor.newest(signal))
        } catch (error) {
          unread.push({ anchor: anchor.name, message: messageOf(error) })
        }
        for (const note of kept) {
          const defect = note === undefined ? note : await contradiction(read, vkey, note)
          if (defect !== undefined) contradicted.push({ anchor: anchor.name, defect })
        }
      }
      return { contradicted, unread }
    },
  }
}

/** What the anchors of a data directory took last, whichever are configured. */
export async function readAnchorStates(directory: string): Promise<readonly AnchorState[]> {
  const known = await readStates(join(directory, fileName))
  return Object.entries(known).map(([name, state]) => ({ name, ...withoutUndefined(state) }))
}

type Known = z.infer<typeof stored>

async function readStates(path: string): Promise<Known> {
  const text = await readIfThere(path)
  if (text === undefined) return {}
  const parsed = stored.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new JackstayError(
    'invalid_config',
    `\`${path}\` is not the state of anchors: compare the log with a checkpoint kept outside, then move the file away`,
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the schema refuses it with the path at hand
  }
}

function withoutUndefined({ pushed, error }: Known[string]): Omit<AnchorState, 'name'> {
  return { ...(pushed !== undefined && { pushed }), ...(error !== undefined && { error }) }
}

function sizeOf(note: string): number {
  const read = readCheckpoint(splitNote(note)?.text ?? '')
  if (read.ok) return read.checkpoint.size
  throw new JackstayError('invalid_request', `nothing to anchor: ${read.problem}`)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'it is too slow'
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
  return `${error.message.slice(0, 300)}${error instanceof JackstayError ? '' : code}`
}
