import type { LedgerKey } from '../../log/key.ts'
import { verifyLedger } from '../../log/verify.ts'
import { pendingLeaf, prepareAppend } from '../../store/append-request.ts'
import type { StoredLeaf } from '../../store/sealed.ts'
import { anAppend } from '../../store/store-builder.ts'
import type { StoreEngine } from '../../store/store-calls.ts'
import { storeReader } from '../reader.ts'
import { openSqliteStore } from '../store.ts'

/** What the crash tests write, and what must be there afterwards. */

/** A leaf that the store said is durable. */
export interface Acknowledged {
  readonly index: number
  readonly text: string
  readonly intent?: string
  readonly seq?: number
}

export type Acknowledge = (what: Acknowledged) => void

export interface Life {
  readonly directory: string
  readonly key: LedgerKey
  readonly fatal: (error: Error) => void
  readonly opened?: () => void
}

/** In this thread, and with a write-ahead log that is moved often. */
function openForCrash({ directory, key, fatal }: Life): Promise<StoreEngine> {
  const clock = { now: () => 0 }
  const small = { walPages: 12, pageSize: 4096, reserveBytes: 64 * 1024 }
  return openSqliteStore({ directory, origin: key.name, key, clock, fatal, ...small })
}

/** One life of a store, from opening to closing. */
export async function live(life: Life, name: string, acknowledge: Acknowledge): Promise<void> {
  const store = await openForCrash(life)
  life.opened?.()
  for (let seq = 0; seq < 3; seq++) await append(store, `${name}-alone`, seq, acknowledge)
  await Promise.all(
    Array.from({ length: 4 }, (_, i) => append(store, `${name}-${i}`, 0, acknowledge)),
  )
  const texts = [`${name} x`, `${name} y`]
  const leaves = texts.map((data) => pendingLeaf({ kind: 'suspension', data }))
  const { leafIndexes } = await store.appendLeaves(true, leaves)
  for (const [i, index] of leafIndexes.entries()) acknowledge({ index, text: texts[i] ?? '' })
  await store.claim(`${name}-alone`, 'me', 1000)
  await store.close()
}

async function append(
  store: StoreEngine,
  intent: string,
  seq: number,
  acknowledge: Acknowledge,
): Promise<void> {
  const text = `${intent} ${seq + 1}`
  const { leaves, ...prepared } = prepareAppend(
    anAppend({ intentId: intent, expectedSeq: seq, leaves: [{ kind: 'decision', data: text }] }),
  )
  const { leafIndexes } = await store.append(prepared, leaves)
  for (const index of leafIndexes) acknowledge({ index, text, intent, seq: seq + 1 })
}

/** What is wrong with the store that a crash left; nothing when it kept every promise. */
export async function wrongWith(
  life: Life,
  acknowledged: readonly Acknowledged[],
): Promise<string | undefined> {
  const store = await openForCrash(life)
  try {
    const wrong = (await missingFrom(store, acknowledged)) ?? (await tornIn(store))
    if (wrong !== undefined) return wrong
    const size = await store.size()
    const leaf = pendingLeaf({ kind: 'suspension', data: 'after the crash' })
    const { leafIndexes } = await store.appendLeaves(true, [leaf])
    if (leafIndexes.join() !== String(size)) return `the next leaf got ${leafIndexes.join()}`
    const read = storeReader(life.directory)
    const verdict = await verifyLedger({ read, vkey: life.key.vkey })
    read.close()
    return verdict.ok ? undefined : verdict.message
  } finally {
    await store.close()
  }
}

async function missingFrom(
  store: StoreEngine,
  acknowledged: readonly Acknowledged[],
): Promise<string | undefined> {
  for (const { index, text, intent, seq } of acknowledged) {
    const leaf = await store.leaf(index)
    if (leaf?.data !== text) return `leaf ${index} was acknowledged as \`${text}\``
    if (intent === undefined) continue
    const event = (await store.events(intent)).find((one) => one.seq === seq)
    if (event?.leafIndexes.join() !== String(index)) return `event ${seq} of \`${intent}\` is gone`
  }
  return undefined
}

/** Events without their leaf, leaves without their event, gaps and repetitions. */
async function tornIn(store: StoreEngine): Promise<string | undefined> {
  const ofIntents = new Set<number>()
  for (const { id, seq } of await store.list({ limit: 1000 })) {
    const events = await store.events(id)
    if (events.length !== seq) return `\`${id}\` says ${seq} events and has ${events.length}`
    for (const [i, event] of events.entries()) {
      const [index = -1] = event.leafIndexes
      const leaf = await store.leaf(index)
      if (event.seq !== i + 1 || leaf?.data !== `${id} ${i + 1}`) return `\`${id}\` is torn at ${i}`
      ofIntents.add(index)
    }
  }
  return unlinkedLeaf(store, ofIntents)
}

async function unlinkedLeaf(
  store: StoreEngine,
  ofIntents: ReadonlySet<number>,
): Promise<string | undefined> {
  const texts = new Set<string>()
  const size = await store.size()
  for (let index = 0; index < size; index++) {
    const leaf: StoredLeaf | undefined = await store.leaf(index)
    if (leaf === undefined) return `leaf ${index} is missing`
    if (texts.has(String(leaf.data))) return `\`${String(leaf.data)}\` is there twice`
    texts.add(String(leaf.data))
    if ((leaf.intent !== undefined) !== ofIntents.has(index)) return `leaf ${index} has no event`
  }
  return undefined
}
