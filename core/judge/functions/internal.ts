import {
  type CelFunc,
  type CelInput,
  type CelList,
  CelScalar,
  celFunc,
  celList,
  celMap,
  isCelMap,
  isCelUint,
  listType,
  mapType,
} from '@bufbuild/cel'
import { boundedItems, type Steps } from '../steps.ts'
import { inner } from '../strict.ts'

const { BOOL, DYN, STRING } = CelScalar
const list = listType(DYN)

/** What rewritten expressions call instead of what the library does itself. */
export function internalFunctions(steps: Steps): CelFunc[] {
  // a list under construction is seen by nobody but its own comprehension until that has ended
  const growing = new WeakMap<CelList, CelInput[]>()
  return [
    celFunc(inner.round, [DYN], DYN, (goOn) => {
      steps.spend(1)
      return goOn
    }),
    celFunc(inner.has, [DYN, STRING], BOOL, (value, key) => {
      if (!isCelMap(value)) throw new TypeError(`\`${key}\` is asked of a value that has no fields`)
      return value.get(key) !== undefined
    }),
    celFunc(inner.map, [list, list], mapType(DYN, DYN), (keys, values) => {
      const map = new Map<string | bigint | boolean, CelInput>()
      const items = values[Symbol.iterator]()
      for (const given of keys) {
        // an int and a uint of the same value are the same key
        const key = isCelUint(given) ? given.value : given
        if (typeof key !== 'string' && typeof key !== 'bigint' && typeof key !== 'boolean') {
          throw new TypeError('a key is a text, a whole number or a truth value')
        }
        if (map.has(key)) throw new TypeError(`two values for the key \`${key}\``)
        map.set(key, items.next().value)
      }
      return celMap(map)
    }),
    celFunc(inner.list, [], list, () => {
      const items: CelInput[] = []
      const made = celList(items)
      growing.set(made, items)
      return made
    }),
    celFunc(inner.append, [list, DYN], list, (made, item) => {
      const items = growing.get(made)
      if (items === undefined) throw new TypeError('not a list under construction')
      items.push(item)
      boundedItems(items.length)
      return made
    }),
  ]
}
