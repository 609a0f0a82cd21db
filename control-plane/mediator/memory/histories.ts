import { JackstayError } from '@jackstay/contract/errors'
import { type IntentEvent, readEvent } from '@jackstay/contract/history'
import { asJson, CanonicalText } from '@jackstay/contract/json'
import { extend, fold, hasEnded, type IntentRecord } from '@jackstay/contract/record'
import type { NewEvent, Store, StoredEvent } from '@jackstay/ledger/store'
import type { History, Leaf } from '../ports.ts'
import type { Journal } from './journal.ts'

/** An event as the store keeps it: plain JSON without `undefined`, written once for the store and for answers. */
function stored(event: IntentEvent): NewEvent {
  const data = asJson(event.data)
  return { type: event.type, at: event.at, data, text: new CanonicalText(data) }
}

/** @throws JackstayError `not_found`; `ledger_damaged` when what is stored does not make sense */
export async function readRecord(store: Pick<Store, 'events'>, id: string): Promise<IntentRecord> {
  return recordOf(id, await store.events(id))
}

/** The same from rows already read. */
export function recordOf(id: string, rows: readonly StoredEvent[]): IntentRecord {
  if (rows.length === 0) throw new JackstayError('not_found', `there is no intent \`${id}\``)
  try {
    return fold(id, rows.map(readEvent))
  } catch (cause) {
    throw new JackstayError('ledger_damaged', `the history of intent \`${id}\` does not read`, {
      cause,
    })
  }
}

/** The intent's history as the holder of its claim writes it. */
export function claimedHistory(
  { store, journal }: { readonly store: Store; readonly journal: Pick<Journal, 'note'> },
  fence: number,
  onAppend: (record: IntentRecord) => void,
): History {
  return {
    read: (id) => readRecord(store, id),
    async append(record, events, leaves) {
      const history = extend(record, events)
      const added = events.map(stored)
      const { leafIndexes } = await store.append({
        intentId: record.id,
        expectedSeq: record.seq,
        events: added,
        leaves,
        phase: history.phase,
        terminal: hasEnded(history),
        fence,
        // nobody goes on with what has ended
        release: hasEnded(history),
      })
      journal.note(history, added, leafIndexes)
      onAppend(history)
      return history
    },
  }
}

/** An intent that was just put on record; while it goes on, it is held by who did so. */
export interface Begun {
  readonly record: IntentRecord
  /** Undefined where it has ended. */
  readonly fence: number | undefined
}

/** How long a dead mediator's intents wait for another; a living one renews its claims. */
export const claimMs = 15_000

/**
 * The first events of a new intent, and the claim on it where it goes on.
 * @throws JackstayError `intent_conflict` when it exists
 */
export async function begin(
  { store, journal }: { readonly store: Store; readonly journal: Pick<Journal, 'note'> },
  holder: string,
  id: string,
  events: readonly IntentEvent[],
  leaves: readonly Leaf[],
): Promise<Begun> {
  const record = fold(id, events)
  const { agent, claims, jwsDigest } = record.authenticated
  const { namespace } = claims.target
  const added = events.map(stored)
  const terminal = hasEnded(record)
  const { claim, leafIndexes } = await store.append({
    intentId: id,
    expectedSeq: 0,
    ...{ events: added, leaves, phase: record.phase, terminal },
    ...(!terminal && { claim: { holder, ttlMs: claimMs } }),
    index: {
      agent: agent.name,
      action: claims.action,
      kid: agent.kid,
      jwsDigest,
      ...(namespace !== undefined && { namespace }),
    },
  })
  if (!terminal && claim === undefined)
    throw new TypeError(`somebody held \`${id}\` before it began`)
  journal.note(record, added, leafIndexes)
  return { record, fence: claim?.fence }
}
