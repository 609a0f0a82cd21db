import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LedgerKey } from '../log/key.ts'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { type AppendRequest, type ErasableStore, openStore, type Store } from './store.ts'

/** Builders for tests: a store in a folder that goes away, and requests to vary. */

export const origin = 'jackstay.dev/3f8e1c1e-0000-4000-8000-000000000001'

export class TestClock {
  time = Date.parse('2026-01-01T00:00:00Z')
  now(): number {
    return this.time
  }
  async advance(ms: number): Promise<void> {
    this.time += ms
  }
}

/** A ledger on any backend, for the suites that every backend must pass. */
export interface SuiteLedger extends AsyncDisposable {
  readonly clock: Pick<TestClock, 'now' | 'advance'>
  readonly key: LedgerKey
  readonly store: Store
  /** False where claims outlive the program that made them, because others go on. */
  readonly singleWriter: boolean
  reopen(): Promise<Store>
}

export type MakeLedger = (options?: { queueLimit?: number }) => Promise<SuiteLedger>

let makeLedger: MakeLedger = testLedger

/** Has the suites that are imported after this run on another backend than SQLite. */
export function runSuitesOn(make: MakeLedger): void {
  makeLedger = make
}

export const suiteLedger: MakeLedger = (options) => makeLedger(options)

export interface TestLedger extends SuiteLedger {
  readonly store: ErasableStore
  reopen(): Promise<ErasableStore>
  readonly directory: string
  readonly clock: TestClock
}

export async function testLedger({
  key = ledgerKeyFrom(generateSkey(origin)),
  ...options
}: {
  queueLimit?: number
  key?: LedgerKey
} = {}): Promise<TestLedger> {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-ledger-'))
  const clock = new TestClock()
  const open = () => openStore({ directory, origin, key, clock, ...options })
  let store = await open()
  return {
    directory,
    clock,
    key,
    singleWriter: true,
    get store() {
      return store
    },
    async reopen() {
      await store.close()
      store = await open()
      return store
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export function anAppend(change: Partial<AppendRequest> = {}): AppendRequest {
  return {
    intentId: 'i1',
    expectedSeq: 0,
    events: [{ type: 'authenticated', at: '2026-01-01T00:00:00Z', data: { jws: 'x' } }],
    leaves: [],
    phase: 'admit',
    terminal: false,
    ...change,
  }
}

/** One leaf for each of `count` new intents, named after `prefix`. */
export async function fill(store: Store, count: number, prefix = 'i'): Promise<void> {
  const appends = Array.from({ length: count }, (_, i) =>
    store.append(
      anAppend({
        intentId: `${prefix}${i}`,
        leaves: [{ kind: 'decision', data: { n: i, prefix } }],
      }),
    ),
  )
  await Promise.all(appends)
}
