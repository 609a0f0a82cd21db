import { isRecord } from '@jackstay/kube/resources'
import { internal } from '../refusal.ts'
import type { Shape } from '../shapes/shape.ts'
import { goText, isDirected, noMergeKey } from './directives.ts'

type List = readonly unknown[]

/** What tells an item of a list apart: its merge key, or itself. */
export function identity(item: unknown, { patchMergeKey }: Shape): unknown {
  if (!isRecord(item)) return item
  if (patchMergeKey === undefined) return item
  if (!Object.hasOwn(item, patchMergeKey)) throw noMergeKey(item, patchMergeKey)
  return item[patchMergeKey]
}

/**
 * Puts a merged list in order: what the patch knows follows `patchOrder`, what only the server knows
 * keeps its place before the items it stood before; new items come first.
 */
export function inOrder(merged: List, patchOrder: List, serverOrder: List, shape: Shape): List {
  const placeIn = (order: List) => {
    const places = order.map((item) => identity(item, shape))
    return (item: unknown) => places.indexOf(identity(item, shape))
  }
  const [inPatch, onServer] = [placeIn(patchOrder), placeIn(serverOrder)]
  const bySame = (place: (item: unknown) => number) => (a: unknown, b: unknown) =>
    place(a) - place(b)
  const known = merged.filter((item) => inPatch(item) >= 0).sort(bySame(inPatch))
  const others = merged.filter((item) => inPatch(item) < 0).sort(bySame(onServer))
  const out: unknown[] = []
  while (known.length > 0 && others.length > 0) {
    const [left, right] = [onServer(others[0]), onServer(known[0])]
    const next = left >= 0 && right >= 0 && left < right ? others : known
    out.push(next.shift())
  }
  return [...out, ...known, ...others]
}

/** Refuses a patch whose items stand in another order than it asks for. */
export function checkOrder(patch: List, order: List, shape: Shape): void {
  if (patch.length === 0 || order.length === 0) return
  const items = patch.filter((item) => !isDirected(item))
  let next = 0
  for (const place of order) {
    if (next < items.length && identity(items[next], shape) === identity(place, shape)) next += 1
  }
  if (next < items.length) {
    throw internal(
      `The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
    )
  }
}
