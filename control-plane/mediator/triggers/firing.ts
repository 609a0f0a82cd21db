import { JackstayError } from '@jackstay/contract/errors'
import { visible } from '@jackstay/contract/text'
import type { Store, StoredTrigger } from '@jackstay/ledger/store'
import type { Incident } from '../ports.ts'
import { anyTrigger, type Changes } from '../reading/changes.ts'
import { readTrigger } from './stored-trigger.ts'

/** Read at a time; a poll looks through all that fire. */
const page = 500
/** Nothing is hidden: what would be the next one is refused, and its sender tries again and says so. */
const mostFiring = 10_000
/** Many intents are judged in this time; what another program wrote is seen after it. */
const incidentsMs = 200
const never = new AbortController().signal

/** Every trigger that fires, the newest first. */
export async function* allFiring(store: Pick<Store, 'triggers'>): AsyncGenerator<StoredTrigger> {
  for (let before: number | undefined; ; ) {
    const query = {
      status: 'firing',
      limit: page,
      ...(before !== undefined && { before }),
    } as const
    const rows = await store.triggers(query)
    yield* rows
    before = rows.at(-1)?.ordinal
    if (rows.length < page) return
  }
}

/** @throws JackstayError `overloaded` where no further one may fire */
export async function assertRoom(store: Pick<Store, 'triggers'>): Promise<void> {
  let count = 0
  for await (const _ of allFiring(store)) count++
  if (count < mostFiring) return
  throw new JackstayError(
    'overloaded',
    `${mostFiring} alerts fire already: group or inhibit some, then they are taken again`,
  )
}

/** What fires as rules see it, `limit` at most, read once for all that ask within a moment. */
export function incidents(
  store: Pick<Store, 'triggers'>,
  changes: Changes,
): (limit: number) => Promise<readonly Incident[]> {
  /** By the limit, which is the same for every judgement. */
  const firing = new Map<number, Promise<readonly Incident[]>>()
  return async (limit) => {
    const known = firing.get(limit)
    if (known !== undefined) return await known
    // news that come while it is read make it old as well
    const old = changes.next(anyTrigger, incidentsMs, never)
    const reading = readIncidents(store, limit)
    firing.set(limit, reading)
    const forget = () => {
      if (firing.get(limit) === reading) firing.delete(limit)
    }
    void old.then(forget)
    reading.catch(forget)
    return await reading
  }
}

async function readIncidents(
  store: Pick<Store, 'triggers'>,
  limit: number,
): Promise<readonly Incident[]> {
  const rows = await store.triggers({ status: 'firing', limit })
  return rows.map((row) => {
    const { labels } = readTrigger(row)
    const { namespace = '', alertname = '' } = labels
    return { namespace: visible(namespace, 63), name: visible(alertname, 253) }
  })
}
