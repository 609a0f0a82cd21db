import { nameOf, type Observed } from '@jackstay/actions/action'
import { isMap, same, token } from '@jackstay/contract/field-changes'
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
  const changed = new Map<string, { before: Json | undefined; after: Json | undefined }>()
  for (const part of ['metadata', 'spec']) {
    collect(`/${part}`, before[part], after[part], changed)
  }
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

function collect(
  path: string,
  before: Json | undefined,
  after: Json | undefined,
  into: Map<string, { before: Json | undefined; after: Json | undefined }>,
): void {
  if (moving.has(path)) return
  if (isMap(before) && isMap(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      collect(`${path}/${token(key)}`, before[key], after[key], into)
    }
    return
  }
  if (same(before, after)) return
  into.set(path, { before, after })
}
