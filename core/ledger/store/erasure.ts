import { JackstayError } from '@jackstay/contract/errors'
import type { Digest, Json } from '@jackstay/contract/json'
import { erasableNames, withImplied } from '@jackstay/contract/redaction'
import { z } from 'zod'
import type { Leaf } from './leaf.ts'
import type { Keeper, RetentionPolicy } from './retention.ts'
import type { IntentSummary, NewLeaf } from './store.ts'

/** What every store needs to erase, hold and prune, whatever it keeps its rows in. */

const words = z.string().trim().min(1).max(1024)

/** Who did it and why: it stands in the log for as long as the log keeps its leaf. */
const because = { reason: words, by: words }

/** What a legal hold covers. */
export const holdScope = z.union([
  z.strictObject({ everything: z.literal(true) }),
  z.strictObject({ intent: z.string().min(1).max(128) }),
  z.strictObject({ agent: z.string().min(1).max(317) }),
  z.strictObject({ namespace: z.string().min(1).max(63) }),
  z.strictObject({ leaf: z.int().min(0) }),
])
export type HoldScope = z.infer<typeof holdScope>

export const newHold = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and `-`'),
  scope: holdScope,
  ...because,
})
export type NewHold = z.infer<typeof newHold>

export interface Hold extends NewHold {
  /** RFC 3339. */
  readonly since: string
  /** The leaf that put it. */
  readonly leaf: number
}

export const liftedHold = z.strictObject({ id: z.string(), ...because })
export type LiftedHold = z.infer<typeof liftedHold>

/** What to erase: of an intent everything that has a name, or of one leaf and its intent. */
export const redaction = z.strictObject({
  of: z.union([
    z.strictObject({ intent: z.string().min(1).max(128) }),
    z.strictObject({ leaf: z.int().min(0) }),
  ]),
  /** Default: all there are. */
  names: z
    .array(z.string().regex(/^[a-z][a-zA-Z0-9]{0,31}$/))
    .min(1)
    .max(32)
    .optional(),
  ...because,
})
export type Redaction = z.infer<typeof redaction>

/** A value that is gone. Its commitment stays in its leaf. */
export interface ErasedValue {
  readonly leaf: number
  readonly name: string
  readonly commitment: Digest
}

export interface Redacted {
  readonly values: readonly ErasedValue[]
  /** Events of the intent that were rewritten, by their numbers. */
  readonly events: readonly number[]
  /** The redaction leaves; empty when nothing of these names was left. */
  readonly leafIndexes: readonly number[]
}

export const pruneReason = z.strictObject(because)

export interface PruneRequest {
  readonly policy: RetentionPolicy
  readonly reason: string
  readonly by: string
}

/** What a prune would take: the leaves from `from` on, `to` not included; nothing when equal. */
export interface PrunePlan {
  readonly from: number
  readonly to: number
  /** The first leaf that has to stay, and why. Absent where only whole bundles are the limit. */
  readonly keeper?: Keeper
}

export interface Pruned extends PrunePlan {
  /** The prune leaf, durable before anything was removed. */
  readonly leaf: number
}

/** What a prune leaf says; the newest one speaks for everything below its `to`. */
const pruneData = z.looseObject({
  from: z.int().min(0),
  to: z.int().min(1),
  /** Base64: RFC 6962 root of the first `to` leaves, which the hash tiles still give. */
  root: z.string(),
  reason: z.string(),
  by: z.string(),
})
export type PruneData = z.infer<typeof pruneData>

/** @throws JackstayError `invalid_request` */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new JackstayError(
    'invalid_request',
    `\`${issue?.path.join('.') || 'request'}\`: ${issue?.message ?? 'invalid'}`,
  )
}

/** While an intent runs, the line still reads these from its events. */
const neededUntilEnd = ['params', 'plan', 'facts', 'messages']

/**
 * The names to erase, with what repeats them.
 * @throws JackstayError `retained` while the intent still needs one of them
 */
export function namesToErase(
  { names }: Redaction,
  intent: IntentSummary | undefined,
): readonly string[] | 'all' {
  const wanted = names === undefined ? undefined : withImplied(names)
  const needed = (wanted ?? erasableNames).filter((name) => neededUntilEnd.includes(name))
  if (intent?.terminal === false && needed.length > 0) {
    throw new JackstayError(
      'retained',
      `\`${intent.id}\` is still under way and needs its ${needed.join(', ')}: erase \`reasoning\` and \`trigger\` now and the rest after it has ended`,
    )
  }
  return wanted ?? 'all'
}

/** @throws JackstayError `retained` when one covers what is to be erased */
export function assertFree(hold: Hold | undefined): void {
  if (hold === undefined) return
  throw new JackstayError(
    'retained',
    `nothing was erased: the legal hold \`${hold.id}\` covers it (${hold.reason}); lift the hold first if it no longer applies`,
  )
}

/** Commitments in one redaction leaf: far below what a leaf may have. */
const valuesPerLeaf = 100

/** The leaves that say what was erased, in order; at least one. */
export function redactionLeaves(
  { of, reason, by }: Redaction,
  values: readonly ErasedValue[],
  events: readonly number[],
  at: string,
): readonly NewLeaf[] {
  const chunks: (readonly ErasedValue[])[] = [values.slice(0, valuesPerLeaf)]
  for (let i = valuesPerLeaf; i < values.length; i += valuesPerLeaf) {
    chunks.push(values.slice(i, i + valuesPerLeaf))
  }
  return chunks.map((chunk, i) => ({
    kind: 'redaction',
    data: {
      time: at,
      of,
      values: chunk.map(({ leaf, name, commitment }) => ({ leaf, name, commitment })),
      events: i === 0 ? [...events] : [],
      reason,
      by,
    },
  }))
}

const redactionData = z.looseObject({
  values: z.array(z.object({ leaf: z.int(), name: z.string(), commitment: z.string() })),
})

/** The values that a redaction leaf says were erased; undefined for any other leaf. */
export function erasedIn({ kind, data }: Pick<Leaf, 'kind' | 'data'>) {
  return kind === 'redaction' ? redactionData.safeParse(data).data?.values : undefined
}

export function holdLeaf(action: 'put' | 'lift', hold: Json, at: string): NewLeaf {
  return { kind: 'hold', data: { time: at, action, hold } }
}

export function pruneLeaf(
  plan: PrunePlan,
  root: Uint8Array,
  policy: Digest,
  { reason, by }: PruneRequest,
  at: string,
): NewLeaf {
  const { from, to } = plan
  const data = { time: at, from, to, root: Buffer.from(root).toString('base64') }
  return { kind: 'prune', data: { ...data, policy, reason, by } }
}

/** What a leaf says when it is a prune leaf that reads. */
export function pruneOf({ kind, data }: Pick<Leaf, 'kind' | 'data'>): PruneData | undefined {
  return kind === 'prune' ? pruneData.safeParse(data).data : undefined
}

/** @throws JackstayError `retained` */
export function assertPrunable({ from, to, keeper }: PrunePlan): void {
  if (to > from) return
  throw new JackstayError(
    'retained',
    keeper === undefined
      ? `nothing was pruned: leaves go in whole bundles of 256, and from leaf ${from} on there is none yet`
      : `nothing was pruned: leaf ${keeper.leaf} (${keeper.kind}) has to stay: ${keeper.why}`,
  )
}
