import { isRecord } from '@jackstay/kube/resources'
import { mapOf, own } from '../json.ts'
import { fieldShape, plain, type Shape } from '../shapes/shape.ts'
import { type Element, itemElement } from './element.ts'

/** Lays a configuration over an object: what it does not mention stays. */
export function mergeApplied(live: unknown, config: unknown, shape: Shape): unknown {
  if (config === undefined) return live
  if (config === null) return isContainer(live, shape) ? live : config
  if (Array.isArray(config)) {
    if (shape.listType === undefined) return config
    return mergeItems(Array.isArray(live) ? live : [], config, shape)
  }
  if (!isRecord(config) || shape.atomic || !isRecord(live)) return config
  const keys = new Set([...Object.keys(live), ...Object.keys(config)])
  return mapOf(
    [...keys].map((key) => {
      const merged = mergeApplied(own(live, key), own(config, key), fieldShape(shape, key))
      return [key, merged] as const
    }),
  )
}

/** Null empties a value, and leaves alone what has owners of its own within. */
function isContainer(live: unknown, shape: Shape): boolean {
  if (Array.isArray(live)) return shape.listType !== undefined && live.length > 0
  return isRecord(live) && !shape.atomic && Object.keys(live).length > 0
}

interface Item {
  readonly element: Element
  readonly value: unknown
}

/**
 * Items in the order of the configuration; those it does not mention stay behind the item of it that
 * they stood behind.
 */
function mergeItems(live: readonly unknown[], config: readonly unknown[], shape: Shape): unknown {
  const read = (value: unknown): Item => ({ element: itemElement(value, shape), value })
  const [left, right] = [live.map(read), config.map(read)]
  const inConfig = new Set(right.map(({ element }) => element))
  const inLive = Map.groupBy(left, ({ element }) => element)
  const shared = right.filter(({ element }) => inLive.has(element)).map(({ element }) => element)
  const done = new Set<Element>()
  const out: unknown[] = []
  const take = ({ element, value }: Item) => {
    const same = inLive.get(element) ?? []
    // of items that are there twice, none is the one to merge with
    const under = same.length === 1 ? same[0]?.value : undefined
    out.push(mergeApplied(under, value, shape.items ?? plain))
    done.add(element)
    if (shared[0] === element) shared.shift()
  }
  let [l, r] = [0, 0]
  while (l < left.length || r < right.length) {
    const [kept, applied] = [left[l], right[r]]
    if (kept !== undefined && applied !== undefined) {
      if (kept.element === applied.element) {
        take(applied)
        l += 1
        r += 1
        continue
      }
      const isShared = inConfig.has(kept.element)
      if (isShared && shared.length > 0 && shared[0] !== kept.element) {
        l += 1
        continue
      }
    }
    if (kept !== undefined) {
      if (!inConfig.has(kept.element)) {
        out.push(kept.value)
        l += 1
        continue
      }
      if (done.has(kept.element)) l += 1
    }
    if (applied !== undefined) {
      take(applied)
      r += 1
    }
  }
  return out
}
