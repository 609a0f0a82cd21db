import { binary, compare } from './operators.ts'
import { CelError, type CelValue, equal, fromJson, listOf, noOverload } from './values.ts'

function list(value: CelValue): readonly CelValue[] {
  const items = listOf(value)
  if (items === undefined) throw noOverload()
  return items.map(fromJson)
}

function extreme(value: CelValue, name: string, better: (order: number) => boolean): CelValue {
  const [first, ...rest] = list(value)
  if (first === undefined) throw new CelError(`${name} called on empty list`)
  return rest.reduce((best, item) => (better(compare(item, best)) ? item : best), first)
}

/** What Kubernetes adds for lists. */
export const listFunctions: Readonly<Record<string, (...values: readonly CelValue[]) => CelValue>> =
  {
    '.isSorted': (on) => {
      const items = list(on)
      return items.every((item, i) => i === 0 || compare(items[i - 1], item) <= 0)
    },
    '.sum': (on) => {
      const [first, ...rest] = list(on)
      return first === undefined
        ? 0n
        : rest.reduce((sum, item) => binary['_+_']?.(sum, item), first)
    },
    '.min': (on) => extreme(on, 'min', (order) => order < 0),
    '.max': (on) => extreme(on, 'max', (order) => order > 0),
    '.lastIndexOf': (on, item) => BigInt(list(on).findLastIndex((one) => equal(one, item))),
    '.join': (on, separator = '') => {
      if (typeof separator !== 'string') throw noOverload()
      return list(on)
        .map((item) => {
          if (typeof item !== 'string') throw noOverload()
          return item
        })
        .join(separator)
    },
  }
