import type { IntentView } from '@jackstay/contract/api'
import type { JackstayError } from '@jackstay/contract/errors'
import { target } from '@jackstay/contract/intent'
import { canonical } from '@jackstay/contract/json'
import { z } from 'zod'
import type { Clock, SignedIntent } from './intent.ts'
import { endingOf } from './outcome.ts'
import type { Volume } from './volume.ts'

/** One submission: what was signed, and the last that is known of it. */
export const receipt = z.strictObject({
  id: z.string(),
  seq: z.int(),
  action: z.string(),
  target,
  trigger: z.string().optional(),
  /** RFC 3339. */
  signedAt: z.string(),
  /** Until then it is sent again, the same bytes, while nobody answers. */
  expiresAt: z.string(),
  /** The signature as it was sent; without the Pod's token nobody accepts it. */
  jws: z.string(),
  /** `unsettled`: the sidecar was restarted while it was being sent. */
  state: z.enum(['sending', 'answered', 'failed', 'unsettled']),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  phase: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  updatedAt: z.string(),
})
export type Receipt = z.infer<typeof receipt>

/** The newest submissions of this Pod, oldest forgotten first; they outlive a restart. */
export interface Receipts {
  /** Kept before anything is sent. */
  open(intent: SignedIntent): Promise<void>
  learn(view: IntentView): Promise<void>
  fail(id: string, error: JackstayError): Promise<void>
  get(id: string): Receipt | undefined
  /** Newest first. */
  list(limit: number): readonly Receipt[]
}

/** As many are kept: with the longest params 4 MB. */
export const keptReceipts = 128

const fileOf = (seq: number) => `receipt-${seq % keptReceipts}.json`

/** Reads what an earlier run kept; a damaged one is forgotten, because nothing rests on it. */
export async function openReceipts(volume: Volume, clock: Clock): Promise<Receipts> {
  const kept = new Map<string, Receipt>()
  for (const one of await readAll(volume)) {
    kept.set(one.id, one.state === 'sending' ? { ...one, state: 'unsettled' } : one)
  }
  const now = () => new Date(clock.now()).toISOString()
  const write = async (one: Receipt): Promise<void> => {
    kept.set(one.id, one)
    while (kept.size > keptReceipts) {
      const [oldest] = kept.keys()
      if (oldest !== undefined) kept.delete(oldest)
    }
    await volume.replace(fileOf(one.seq), canonical(one))
  }
  const change = async (id: string, changes: Partial<Receipt>): Promise<void> => {
    const one = kept.get(id)
    if (one) await write({ ...one, ...changes, updatedAt: now() })
  }
  return {
    open: ({ id, seq, action, target, trigger, jws, expiresAt }) =>
      write({
        ...{ id, seq, action, target, jws, state: 'sending' },
        ...(trigger && { trigger }),
        signedAt: now(),
        expiresAt: new Date(expiresAt).toISOString(),
        updatedAt: now(),
      }),
    async learn({ summary, events }) {
      const { id, phase, reason } = summary
      if (kept.get(id)?.phase === phase) return
      const { message } = endingOf(events)
      await change(id, {
        ...{ state: 'answered', phase },
        ...(reason && { reason }),
        ...(message && { message }),
      })
    },
    fail: (id, { code, message }) => change(id, { state: 'failed', error: { code, message } }),
    get: (id) => kept.get(id),
    list: (limit) => [...kept.values()].reverse().slice(0, limit),
  }
}

async function readAll(volume: Volume): Promise<Receipt[]> {
  const found: Receipt[] = []
  for (let slot = 0; slot < keptReceipts; slot++) {
    const text = await volume.read(fileOf(slot))
    if (text === undefined) continue
    const parsed = receipt.safeParse(jsonOf(text))
    if (parsed.success) found.push(parsed.data)
  }
  return found.sort((a, b) => a.seq - b.seq)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // fails the schema
  }
}
