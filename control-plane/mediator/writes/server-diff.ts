import { nameOf, type Observed } from '@jackstay/actions/action'
import { mapChanges } from '@jackstay/contract/field-changes'
import type { Json } from '@jackstay/contract/json'
import type { PatchWrite, Reading } from '@jackstay/contract/plan'

/** Metadata that moves with every write: never part of what people approve. */
const moving = new Set([
  '/metadata/managedFields',
  '/metadata/resourceVersion',
  '/metadata/generation',
])

/**
 * The fields a write really changes, as the API server's dry-run shows them: the planned ones, or
 * what admission made of them. The order is the planned one, then by path.
 */
export function serverDiff(
  write: PatchWrite,
  before: Observed,
  after: Observed,
): { before: Reading[]; after: Reading[] } {
  const all = ['metadata', 'spec'].flatMap((part) => {
    return mapChanges(`/${part}`, before[part], after[part])
  })
  const changed = new Map(all.filter((c) => !moving.has(c.path)).map((c) => [c.path, c]))
  const of = nameOf(write.object)
  const planned = write.before.map((r) => r.path).filter((path) => changed.has(path))
  const others = [...changed.keys()].filter((path) => !planned.includes(path)).sort()
  const paths = [...planned, ...others]
  if (paths.length === 0) return { before: [...write.before], after: [...write.before] }
  return {
    before: paths.map((path) => reading(of, path, changed.get(path)?.before)),
    after: paths.map((path) => reading(of, path, changed.get(path)?.after)),
  }
}

function reading(of: string, path: string, value: Json | undefined): Reading {
  return { of, path, value: value === undefined ? 'absent' : { is: value } }
}
