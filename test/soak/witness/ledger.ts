import { readEvent } from '@jackstay/contract/history'
import { storedHistories } from '@jackstay/ledger/histories'
import { decodeLeaf, type Leaf } from '@jackstay/ledger/leaf'
import { storeReader } from '@jackstay/ledger/sqlite-reader'
import { decodeBundle, tileWidth, widthOf } from '@jackstay/ledger/tiles'
import { z } from 'zod'
import type { History, LogLeaf } from '../verdict/evidence.ts'

/** How many leaves the checkpoint on disk stands for, whatever the mediator says or does. */
export async function durableLeaves(dataDirectory: string): Promise<number> {
  const read = storeReader(dataDirectory)
  try {
    return sizeOf(await read.checkpoint())
  } finally {
    read.close()
  }
}

/** Every entry of the log, as a verifier of somebody else's would read it. */
export async function logLeaves(dataDirectory: string): Promise<LogLeaf[]> {
  const read = storeReader(dataDirectory)
  try {
    const size = sizeOf(await read.checkpoint())
    const leaves: LogLeaf[] = []
    for (let bundle = 0; bundle * tileWidth < size; bundle++) {
      const bytes = await read.tile('entries', bundle, widthOf(0, bundle, size))
      const entries = (bytes && decodeBundle(bytes)) ?? []
      for (const entry of entries) {
        leaves.push({ index: leaves.length, ...shown(decodeLeaf(entry)) })
      }
    }
    return leaves
  } finally {
    read.close()
  }
}

/** Every intent that the mediator ever took, with all that it wrote down of it. */
export function intentHistories(dataDirectory: string): History[] {
  return storedHistories(dataDirectory)
    .map(({ id, events }) => ({
      id,
      events: events.map((stored) => {
        const { seq, leafIndexes } = stored
        return { ...readEvent(stored), seq, leafIndexes }
      }),
    }))
    .toArray()
}

const shared = z.object({ data: z.object({ refusals: z.object({ count: z.int() }) }) })

function shown({ kind, intent, seq, data }: Leaf): Omit<LogLeaf, 'index'> {
  const many = shared.safeParse(data).data
  return {
    kind,
    ...(intent !== undefined && { intent }),
    ...(seq !== undefined && { seq }),
    ...(many && { refusals: many.data.refusals.count }),
  }
}

function sizeOf(note: string | undefined): number {
  return Number(note?.split('\n')[1] ?? 0)
}
