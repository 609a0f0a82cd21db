import { openCurrent } from '../sqlite/database.ts'
import { holdsIn } from '../sqlite/holds.ts'
import { planPruneIn } from '../sqlite/pruning.ts'
import type { Hold, PrunePlan } from './erasure.ts'
import { parsePolicy, type RetentionPolicy } from './retention.ts'
import { integer } from './rows.ts'

/** Legal holds in force in a data directory; looks only, also while its owner writes. */
export function readHolds(directory: string): readonly Hold[] {
  const db = openCurrent(directory)
  try {
    return holdsIn(db)
  } finally {
    db.close()
  }
}

/** What a prune of a data directory would do at `now`; looks only, also while its owner writes. */
export function previewPrune(
  directory: string,
  policy: RetentionPolicy,
  now: number,
): PrunePlan & { readonly size: number } {
  const db = openCurrent(directory)
  try {
    const row = db.prepare('SELECT coalesce(max(position) + 1, 0) AS size FROM leaves').get()
    const size = integer(row ?? {}, 'size')
    return { ...planPruneIn(db, size, parsePolicy(policy), now), size }
  } finally {
    db.close()
  }
}
