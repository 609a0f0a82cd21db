import type { JackstayError } from '@jackstay/contract/errors'
import type { CanonicalText, Json } from '@jackstay/contract/json'
import type { LedgerKey } from '../log/key.ts'
import type {
  Hold,
  LiftedHold,
  NewHold,
  Pruned,
  PrunePlan,
  PruneRequest,
  Redacted,
  Redaction,
} from './erasure.ts'
import type { LeafKind } from './leaf.ts'
import type { RetentionPolicy } from './retention.ts'
import type { StoredLeaf } from './sealed.ts'
import { openThreadedStore } from './threaded-store.ts'

/** Milliseconds since the epoch, as an argument. */
export interface Clock {
  now(): number
}

export interface NewEvent {
  readonly type: string
  /** RFC 3339. */
  readonly at: string
  readonly data: Json
  /** Of `data`, where it was written already; of anything else it is not looked at. */
  readonly text?: CanonicalText
}

/** An event as it lies in the store. */
export interface StoredEvent extends NewEvent {
  /** Position in the intent's history, from 1. */
  readonly seq: number
  /** Where the leaves written with this event stand in the log; empty for most events. */
  readonly leafIndexes: readonly number[]
}

export interface NewLeaf {
  readonly kind: LeafKind
  readonly data: Json
  /** What may have to be erased one day: the leaf holds a salted commitment to each instead. */
  readonly sealed?: { readonly [name: string]: Json }
}

/** What an intent is found by. A field once set is never changed. */
export interface IntentIndex {
  readonly agent?: string
  readonly namespace?: string
  readonly action?: string
  readonly kid?: string
  readonly jwsDigest?: string
}

export interface AppendRequest {
  readonly intentId: string
  /** How many events the caller has folded; 0 for a new intent. */
  readonly expectedSeq: number
  /** At least one. */
  readonly events: readonly NewEvent[]
  /** They belong to the last of `events`. */
  readonly leaves: readonly NewLeaf[]
  /** The intent's phase after these events. */
  readonly phase: string
  readonly terminal: boolean
  /** When given, the claim on the intent must be held with this fence and not be expired. */
  readonly fence?: number
  /** Takes the claim in the same transaction. For a new intent: whoever begins it goes on with it. */
  readonly claim?: { readonly holder: string; readonly ttlMs: number }
  /** Gives the claim of `fence` back in the same transaction. */
  readonly release?: boolean
  readonly index?: IntentIndex
}

export interface AppendLeavesOptions {
  /** Of the caller's making: leaves that were once written with it are not written again. */
  readonly token?: string
}

export interface Appended {
  /** The intent's number of events now: the next `expectedSeq`. */
  readonly seq: number
  readonly leafIndexes: readonly number[]
  /** Where a claim was asked for and nobody holds it. */
  readonly claim?: Claim
}

/** The row of an intent; its events say the rest. */
export interface IntentSummary extends IntentIndex {
  readonly id: string
  /** Order of arrival, for paging with `before`. */
  readonly ordinal: number
  readonly seq: number
  readonly phase: string
  readonly terminal: boolean
  /** `at` of the first and of the newest event. */
  readonly startedAt: string
  readonly updatedAt: string
}

export interface IntentQuery {
  readonly agent?: string
  readonly namespace?: string
  readonly phase?: string
  readonly terminal?: boolean
  /** 1 to 1000. */
  readonly limit: number
  /** Only intents that arrived before the one with this ordinal. */
  readonly before?: number
}

/**
 * What the store knows about a `jti`: `same` gets the first answer, `other_bytes` is a 409,
 * `other_key` a 401 that must not show the other agent's answer.
 */
export type Replay =
  | { readonly kind: 'new' }
  | { readonly kind: 'same'; readonly intentId: string }
  | { readonly kind: 'other_bytes' }
  | { readonly kind: 'other_key' }

export type TriggerStatus = 'firing' | 'resolved'

export interface NewTrigger {
  readonly id: string
  /** Two triggers with the same key are one. */
  readonly dedupKey: string
  readonly source: string
  readonly fingerprint: string
  readonly startsAt: string
  readonly groupKey: string
  readonly status: TriggerStatus
  readonly data: Json
}

export interface StoredTrigger extends NewTrigger {
  /** Order of arrival, for paging with `before`. */
  readonly ordinal: number
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  readonly lease?: { readonly holder: string; readonly until: number }
}

export interface TriggerQuery {
  readonly status?: TriggerStatus
  /** Only triggers that came before the one with this ordinal. */
  readonly before?: number
  /** 1 to 1000; the newest first. */
  readonly limit: number
}

export interface TriggerLease {
  readonly id: string
  readonly holder: string
  /** A holder that is known to be gone: its lease passes on, whenever it would have ended. */
  readonly from?: string
  /** Milliseconds since the epoch. */
  readonly until: number
  readonly now: number
}

export interface Note {
  readonly name: string
  readonly value: Json
}

export interface Claim {
  /** Greater than every fence given before, across restarts. */
  readonly fence: number
}

/**
 * The memory and the one store. Every promise of a write resolves after the write is durable.
 * Failures are `JackstayError`s: `intent_conflict` (history moved on, intent ended, claim lost),
 * `overloaded` (queue full), `too_large`, `invalid_request`, `draining` (closed), `ledger_damaged`.
 */
export interface Store {
  readonly origin: string

  /** Events and leaves of one intent in one transaction: all of it or nothing. */
  append(request: AppendRequest): Promise<Appended>
  /** Leaves that belong to no intent: a suspension, a count of aggregated refusals. */
  appendLeaves(
    leaves: readonly NewLeaf[],
    options?: AppendLeavesOptions,
  ): Promise<{ readonly leafIndexes: readonly number[] }>
  /** Oldest first; empty for an unknown intent. */
  events(intentId: string): Promise<readonly StoredEvent[]>
  intent(intentId: string): Promise<IntentSummary | undefined>
  /** Newest first. */
  list(query: IntentQuery): Promise<readonly IntentSummary[]>
  /** Ids of the intents without a terminal phase, oldest first. */
  open(): Promise<readonly string[]>
  replay(kid: string, jti: string, jwsDigest: string): Promise<Replay>

  /** Stores a trigger or, where its `dedupKey` is known, takes over `resolved`; answers which id stands. */
  putTrigger(trigger: NewTrigger): Promise<{ readonly id: string; readonly created: boolean }>
  trigger(id: string): Promise<StoredTrigger | undefined>
  triggers(query: TriggerQuery): Promise<readonly StoredTrigger[]>
  /** True when the trigger is firing and was free, expired or already this holder's. */
  leaseTrigger(lease: TriggerLease): Promise<boolean>
  /** False when unknown or already resolved. */
  resolveTrigger(id: string): Promise<boolean>
  /** Deletes what was last heard of before `before` (milliseconds); answers how many. */
  pruneTriggers(before: number): Promise<number>

  /**
   * Small state of the program that has to outlive it, by name; `undefined` deletes it. No part of
   * the log: what happened stands in events and leaves.
   */
  putNote(name: string, value: Json | undefined): Promise<void>
  /** Those whose names begin so, by name. */
  notes(prefix: string): Promise<readonly Note[]>

  /** Undefined while anybody holds the claim, the same holder included. */
  claim(intentId: string, holder: string, ttlMs: number): Promise<Claim | undefined>
  /** False when the claim is lost: stop writing. */
  renew(intentId: string, fence: number, ttlMs: number): Promise<boolean>
  release(intentId: string, fence: number): Promise<boolean>

  /** The newest checkpoint: a C2SP signed note. */
  checkpoint(): Promise<string>
  size(): Promise<number>
  /** A hash tile, or undefined beyond the tree; without `width` as wide as it is. */
  tile(level: number, index: number, width?: number): Promise<Uint8Array | undefined>
  /** An entry bundle, or undefined beyond the tree; without `width` as wide as it is. */
  entries(index: number, width?: number): Promise<Uint8Array | undefined>
  leaf(index: number): Promise<StoredLeaf | undefined>
  /** RFC 6962 audit path of leaf `index` in the tree of the first `size` leaves. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>
  /** RFC 6962 proof that the tree of `from` leaves is a prefix of the tree of `to` leaves. */
  consistencyProof(from: number, to: number): Promise<readonly Uint8Array[]>

  /** Why new work is not written at present, in words for people; undefined while it is. */
  hindrance(): Promise<string | undefined>

  /** Finishes what is queued, then refuses everything. */
  close(): Promise<void>
}

/** What a store can take away again, without taking any proof along. */
export interface Erasure {
  /**
   * Takes values away for good: from leaves' custody, from events, from the files underneath. Says
   * so in a leaf; every proof stays what it was. Answers without a leaf when they were gone already.
   * Takes long on a large ledger, because its files are written anew.
   * @throws JackstayError `not_found`, `retained` under a legal hold or while an intent needs them,
   * `not_ready` when they are erased but a reader still keeps old bytes: run it again
   */
  redact(request: Redaction): Promise<Redacted>
  /** Legal holds in force, the oldest first. */
  holds(): Promise<readonly Hold[]>
  putHold(hold: NewHold): Promise<Hold>
  /** Answers the leaf that says so. */
  liftHold(lifted: LiftedHold): Promise<number>
  /** The oldest leaf that was not pruned: the minimum index of C2SP tlog-tiles. */
  minimum(): Promise<number>
  /** What `prune` would do now. */
  planPrune(policy: RetentionPolicy): Promise<PrunePlan>
  /**
   * Removes whole entry bundles from the oldest on, with the values and the ended intents that have
   * no leaf left; hash tiles stay. The leaf that says so is durable first.
   * @throws JackstayError `retained` naming the leaf that has to stay and why, `not_ready`
   */
  prune(request: PruneRequest): Promise<Pruned>
}

export type ErasableStore = Store & Erasure

interface LogOptions {
  /** `jackstay.dev/<cluster uid>`; must be the key's name. */
  readonly origin: string
  readonly key: LedgerKey
  /** Waiting writes before `overloaded`; an eighth more is kept for undo, outcomes and suspensions. */
  readonly queueLimit?: number
}

/** SQLite in a directory: one program writes. */
export interface StoreOptions extends LogOptions {
  /** Made with mode 0700 when missing. */
  readonly directory: string
  readonly clock: Clock
  /**
   * Ends the program, because what is durable is no longer known: a sync failed, the store's
   * thread died, its files were taken away. Without it the process says why on standard error
   * and kills itself.
   */
  readonly fatal?: (error: JackstayError) => void
}

/** PostgreSQL: several programs write to one log, and claims expire by the database's clock. */
export interface PostgresStoreOptions extends LogOptions {
  /** `postgresql://user:password@host:5432/database?sslmode=verify-full`. */
  readonly url: string
  /** One log each; `jackstay` unless given. Made when missing. */
  readonly schema?: string
  /** The newest checkpoint kept elsewhere: a database that is behind it is refused. */
  readonly knownCheckpoint?: string
  /** How long a write, or the opening, waits for a server that is away; 20 s unless given. */
  readonly patienceMs?: number
  /**
   * This program acts on what it reads, and no other may beside it: opening is refused while one
   * leads, and every write while another has led since. Programs that only write may be open too.
   */
  readonly leads?: boolean
  /**
   * Ends the program, because another leads. Without it the process says why on standard error and
   * kills itself.
   */
  readonly fatal?: (error: JackstayError) => void
}

/**
 * Opens the store in `directory` or behind `url` for writing, making it when there is none.
 * @throws JackstayError `ledger_damaged` when tree and signed checkpoint differ, `invalid_config`
 * for another origin or key or a newer schema, `not_ready` while another process writes to the
 * directory or leads in the database, or the database is away or a standby.
 */
export async function openStore(
  options: StoreOptions | PostgresStoreOptions,
): Promise<ErasableStore> {
  if ('directory' in options) return openThreadedStore(options)
  // Who keeps the ledger in SQLite never loads the client of PostgreSQL.
  const { openPostgresStore } = await import('../postgres/open.ts')
  return openPostgresStore(options)
}
