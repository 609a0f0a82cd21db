import type { IntentSummary as Summary } from '@jackstay/contract/api'
import type { IntentSummary as Row, Store } from '@jackstay/ledger/store'
import { readRecord } from '../memory/histories.ts'
import { summaryOf } from '../reading/views.ts'

/** Remembered at once; each is some 400 bytes. */
const most = 8192

/** Lines of lists. A history is read once for each event that it got, not for each list. */
export interface Summaries {
  of(row: Row): Promise<Summary>
}

export function summaries(store: Pick<Store, 'events'>): Summaries {
  const known = new Map<string, { readonly seq: number; readonly summary: Summary }>()
  return {
    async of({ id, seq, updatedAt }) {
      const found = known.get(id)
      if (found?.seq === seq) return found.summary
      const record = await readRecord(store, id)
      const summary = summaryOf(record, updatedAt)
      known.delete(id)
      // it may have gone on meanwhile: then what was read is newer than the row, and kept as that
      known.set(id, { seq: record.seq, summary })
      if (known.size > most) known.delete(known.keys().next().value ?? '')
      return summary
    },
  }
}
