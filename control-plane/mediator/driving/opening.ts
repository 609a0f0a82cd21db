import { JackstayError } from '@jackstay/contract/errors'
import type { IntentEvent } from '@jackstay/contract/history'
import { fold, type IntentRecord } from '@jackstay/contract/record'
import { type Begun, begin, readRecord } from '../memory/histories.ts'
import { look } from '../pipeline.ts'
import type { DriverOptions } from './driver.ts'
import { recentIds } from './recent-ids.ts'
import { onRecord } from './turn.ts'

export function taken(id: string): JackstayError {
  return new JackstayError('intent_conflict', `\`${id}\` exists; take a new id`)
}

export type First = IntentEvent & { readonly type: 'authenticated' }

/** What of the driver's parts new intents need. */
export type OpeningOptions = Pick<
  DriverOptions,
  'ports' | 'store' | 'journal' | 'holder' | 'refusals' | 'onLost' | 'changes' | 'note' | 'onEnd'
>

export interface Openings {
  /** @throws JackstayError `intent_conflict`, and of the store */
  begin(first: First): Promise<Begun>
}

/**
 * Looks at new intents and puts them on record with what was seen: what is refused takes one transaction,
 * and nobody ever holds it. One id is looked at once at a time. After `patienceMs` an intent is put on
 * record whatever still has to be found out about it.
 */
export function openings(options: OpeningOptions, patienceMs = 2_000): Openings {
  /** Bounded by the requests under way. */
  const under = new Map<string, Promise<Begun>>()
  const came = recentIds(() => performance.now())
  /** Before it is looked at, because looking takes places: a rate's, a breaker's. */
  const assertNew = async (id: string) => {
    // a clock that was set back makes what is long forgotten fresh again
    if (!came.mayHaveCome(id) && options.ports.steady.ahead() === 0) return
    if ((await options.store.intent(id)) !== undefined) throw taken(id)
  }
  const opened = async (id: string, first: First) => {
    await assertNew(id)
    came.add(id)
    return await open(id, first, options, patienceMs)
  }
  return {
    async begin(first) {
      const { jti: id } = first.data.claims
      const other = under.get(id)
      if (other !== undefined) {
        // the same request twice: the second one finds what became of the first
        await other.catch(() => undefined)
        throw taken(id)
      }
      const opening = opened(id, first)
      under.set(id, opening)
      try {
        return await opening
      } finally {
        under.delete(id)
      }
    },
  }
}

async function open(
  id: string,
  first: First,
  options: OpeningOptions,
  patienceMs: number,
): Promise<Begun> {
  const { ports, holder, refusals } = options
  const record = fold(id, [first])
  // counted before it is looked at: two at once must not both be the last that is allowed
  ports.allowances.note(record)
  try {
    const { events, leaves } = await within(patienceMs, (patience) => look(record, ports, patience))
    let begun: Begun | undefined
    const append = refusals.around(async (_, added, said) => {
      begun = await begin(options, holder, id, [first, ...added], said)
      return begun.record
    })
    await append(record, events, leaves)
    if (begun === undefined) throw new TypeError('nothing was put on record')
    heard(begun.record, options)
    return begun
  } catch (error) {
    await letGo(record, options)
    throw error
  }
}

async function within<T>(
  ms: number,
  work: (patience: Promise<undefined>) => Promise<T>,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  try {
    return await work(promise)
  } finally {
    clearTimeout(timer)
  }
}

/** What was taken for it goes to others, unless it stands: a commit's answer can be lost. */
async function letGo(record: IntentRecord, options: OpeningOptions): Promise<void> {
  const { store, onLost } = options
  // where nobody can tell it keeps what it holds; the next start knows
  const row = await store.intent(record.id).catch(() => 'unknown' as const)
  if (row === 'unknown') return
  if (row === undefined) onLost(record)
  else if (row.terminal) heard(await readRecord(store, record.id), options)
}

function heard(record: IntentRecord, options: OpeningOptions): void {
  options.ports.allowances.note(record)
  onRecord(record, options)
}
