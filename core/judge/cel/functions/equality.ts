import {
  type CelList,
  type CelMap,
  type CelValue,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
} from '@bufbuild/cel'
import { equals } from '@bufbuild/protobuf'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import type { Steps } from '../steps.ts'

/**
 * CEL's equality: numbers across their types, lists and maps item by item, everything else within
 * its own type. Costs a step per item, so that no comparison of large values comes for nothing.
 */
export function same(one: CelValue, other: CelValue, steps: Steps): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other
  if (typeof one === 'boolean' || typeof other === 'boolean') return one === other
  const a = isCelUint(one) ? one.value : one
  const b = isCelUint(other) ? other.value : other
  if (typeof a === 'bigint' || typeof a === 'number') {
    // biome-ignore lint/suspicious/noDoubleEquals: compares the values of a double and an integer
    return (typeof b === 'bigint' || typeof b === 'number') && a == b
  }
  if (typeof b === 'bigint' || typeof b === 'number') return false
  if (a === null || b === null) return a === b
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (isCelList(a)) return isCelList(b) && sameList(a, b, steps)
  if (isCelMap(a)) return isCelMap(b) && sameMap(a, b, steps)
  if (isReflectMessage(a)) {
    return (
      isReflectMessage(b) &&
      a.desc.typeName === b.desc.typeName &&
      equals(a.desc, a.message, b.message)
    )
  }
  return isCelType(a) && isCelType(b) && a.kind === b.kind && a.name === b.name
}

function sameList(one: CelList, other: CelList, steps: Steps): boolean {
  if (one.size !== other.size) return false
  steps.spend(one.size)
  const rest = other[Symbol.iterator]()
  for (const item of one) {
    const next = rest.next()
    if (next.done === true || !same(item, next.value, steps)) return false
  }
  return true
}

function sameMap(one: CelMap, other: CelMap, steps: Steps): boolean {
  if (one.size !== other.size) return false
  steps.spend(one.size)
  for (const [key, item] of one) {
    const match = other.get(key)
    if (match === undefined || !same(item, match, steps)) return false
  }
  return true
}

export function includes(list: CelList, value: CelValue, steps: Steps): boolean {
  for (const item of list) {
    steps.spend(1)
    if (same(item, value, steps)) return true
  }
  return false
}
