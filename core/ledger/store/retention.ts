import { JackstayError } from '@jackstay/contract/errors'
import { type Digest, digestOf, type Json } from '@jackstay/contract/json'
import { z } from 'zod'
import type { Hold } from './erasure.ts'
import { decodeLeaf, type Leaf, type LeafKind } from './leaf.ts'
import { wrongField } from './wrong-field.ts'

const dayMs = 24 * 3600_000

/** `90d`, `7y` (a year has 366 days, so that nothing goes a day early), or `forever`. */
const keep = z
  .string()
  .regex(/^([1-9]\d{0,4}[dy]|forever)$/, 'must be like `90d`, `7y` or `forever`')
  .describe('how long, counted from the time in the leaf')

/**
 * How long leaves are kept, by class: their kind, and `refusal` for decisions that ended an intent
 * as refused. Every class has to be there, so that a misspelt one cannot be pruned into nothing.
 */
const retentionPolicy = z.strictObject({
  version: z.literal(1),
  keep: z.strictObject({
    refusal: keep,
    decision: keep,
    approval: keep,
    dispatch: keep,
    outcome: keep,
    suspension: keep,
    redaction: keep,
    hold: keep,
    prune: keep,
    recovery: keep,
    rotation: keep,
  }),
})
export type RetentionPolicy = z.infer<typeof retentionPolicy>
export type RetentionClass = keyof RetentionPolicy['keep']

/** What a prune leaf names. */
export function policyDigest(policy: RetentionPolicy): Digest {
  return digestOf(policy)
}

/** @throws JackstayError `invalid_request` naming the first thing that is wrong */
export function parsePolicy(value: unknown): RetentionPolicy {
  const parsed = retentionPolicy.safeParse(value)
  if (parsed.success) return parsed.data
  throw new JackstayError(
    'invalid_request',
    `the retention policy is wrong: ${wrongField(parsed.error)}; correct it, every class must be there`,
  )
}

function retentionClass({ kind, data }: Pick<Leaf, 'kind' | 'data'>): RetentionClass {
  const outcome = kind === 'decision' ? member(member(data, 'data'), 'outcome') : undefined
  return typeof outcome === 'string' && outcome.startsWith('refused/') ? 'refusal' : kind
}

/** When the leaf was made, by its own hashed word, in milliseconds since the epoch. */
export function timeOf({ data }: Pick<Leaf, 'data'>): number | undefined {
  const time = member(data, 'time')
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return Object.entries(value).find(([name]) => name === key)?.[1]
}

/** A leaf as pruning looks at it. */
export interface Candidate {
  readonly index: number
  readonly bytes: Uint8Array
  /** Of the leaf's intent, where it has one. */
  readonly intent?: {
    readonly id: string
    readonly terminal: boolean
    readonly agent?: string
    readonly namespace?: string
  }
}

/** Why a leaf has to stay. */
export interface Keeper {
  readonly leaf: number
  readonly kind: LeafKind
  readonly why: string
}

export interface Retention {
  readonly policy: RetentionPolicy
  readonly holds: readonly Hold[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Why this leaf has to stay, or undefined when it may go. Pure; whatever is unclear stays. */
export function keeperOf(
  candidate: Candidate,
  { policy, holds, now }: Retention,
): Keeper | undefined {
  const { index, bytes, intent } = candidate
  const leaf = decodeLeaf(bytes)
  const keeper = (why: string): Keeper => ({ leaf: index, kind: leaf.kind, why })
  const hold = holds.find((one) => isHeld(candidate, one))
  if (hold !== undefined) return keeper(`under the legal hold \`${hold.id}\``)
  if (intent?.terminal === false) return keeper(`its intent \`${intent.id}\` is still under way`)
  const kept = retentionClass(leaf)
  const span = policy.keep[kept]
  if (span === 'forever') return keeper(`\`${kept}\` is kept forever`)
  const time = timeOf(leaf)
  if (time === undefined) return keeper('it does not say when it was made')
  const until = time + daysIn(span) * dayMs
  if (now >= until) return undefined
  const day = new Date(until).toISOString().slice(0, 10)
  return keeper(`\`${kept}\` is kept for ${span}, this one until ${day}`)
}

function daysIn(span: string): number {
  const count = Number.parseInt(span, 10)
  return span.endsWith('y') ? count * 366 : count
}

/** Whether a hold covers the leaf. A hold also covers the leaf that put it. */
export function isHeld({ index, intent }: Omit<Candidate, 'bytes'>, hold: Hold): boolean {
  const { scope, leaf } = hold
  if (index === leaf) return true
  if ('everything' in scope) return true
  if ('leaf' in scope) return scope.leaf === index
  if ('intent' in scope) return scope.intent === intent?.id
  if ('agent' in scope) return scope.agent === intent?.agent
  return scope.namespace === intent?.namespace
}
