import {
  type CelList,
  CelScalar,
  type CelValue,
  celFunc,
  celMethod,
  celUint,
  isCelUint,
  listType,
} from '@bufbuild/cel'
import { create, isMessage } from '@bufbuild/protobuf'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { DurationSchema } from '@bufbuild/protobuf/wkt'
import type { Steps } from '../steps.ts'
import { includes, same } from './equality.ts'
import { described, type Family } from './family.ts'
import { compare } from './order.ts'

const { BOOL, DYN, INT } = CelScalar
const list = listType(DYN)
const maxInt = 2n ** 63n - 1n

/** Lists and sets as Kubernetes names them; what has no answer is an error. */
export function lists(steps: Steps): Family {
  const all = (values: CelList): CelValue[] => {
    steps.spend(values.size)
    const items = [...values]
    for (const item of items) if (typeof item === 'string') steps.read(item)
    return items
  }
  return {
    title: 'Lists',
    functions: [
      described(
        'isSorted',
        ['list.isSorted() → bool'],
        'Whether no item is less than its predecessor.',
      ),
      described('sum', ['list.sum() → int, uint, double or Duration'], 'The sum; of nothing, 0.'),
      described('min', ['list.min() → item'], 'The least item.'),
      described('max', ['list.max() → item'], 'The greatest item.'),
      described(
        'indexOf',
        [
          'list.indexOf(value) → int',
          'string.indexOf(string) → int',
          'string.indexOf(string, int) → int',
        ],
        'Where it first stands, counted from 0, or -1.',
      ),
      described(
        'lastIndexOf',
        [
          'list.lastIndexOf(value) → int',
          'string.lastIndexOf(string) → int',
          'string.lastIndexOf(string, int) → int',
        ],
        'Where it last stands, or -1.',
      ),
      described(
        'sets.contains',
        ['sets.contains(list, list) → bool'],
        'Whether the first has every item of the second.',
      ),
      described(
        'sets.equivalent',
        ['sets.equivalent(list, list) → bool'],
        'Whether each has every item of the other.',
      ),
      described(
        'sets.intersects',
        ['sets.intersects(list, list) → bool'],
        'Whether they have an item in common.',
      ),
    ],
    implementations: [
      celMethod('isSorted', list, [], BOOL, function () {
        const items = all(this)
        return items.every((item, i) => {
          const before = items[i - 1]
          return before === undefined || compare(before, item) <= 0
        })
      }),
      celMethod('sum', list, [], DYN, function () {
        return sum(all(this))
      }),
      celMethod('min', list, [], DYN, function () {
        return extreme(all(this), -1)
      }),
      celMethod('max', list, [], DYN, function () {
        return extreme(all(this), 1)
      }),
      celMethod('indexOf', list, [DYN], INT, function (value) {
        return BigInt(all(this).findIndex((item) => same(item, value, steps)))
      }),
      celMethod('lastIndexOf', list, [DYN], INT, function (value) {
        return BigInt(all(this).findLastIndex((item) => same(item, value, steps)))
      }),
      ...sets(steps),
    ],
  }
}

function sets(steps: Steps) {
  const contains = (outer: CelList, inner: CelList) =>
    [...inner].every((item) => includes(outer, item, steps))
  return [
    celFunc('sets.contains', [list, list], BOOL, contains),
    celFunc('sets.equivalent', [list, list], BOOL, (a, b) => contains(a, b) && contains(b, a)),
    celFunc('sets.intersects', [list, list], BOOL, (a, b) =>
      [...a].some((item) => includes(b, item, steps)),
    ),
  ]
}

function sum(items: readonly CelValue[]) {
  if (items.every((item) => typeof item === 'bigint')) {
    return inRange(
      items.reduce((total, item) => total + item, 0n),
      -maxInt - 1n,
      maxInt,
    )
  }
  if (items.every((item) => typeof item === 'number')) {
    return items.reduce((total, item) => total + item, 0)
  }
  if (items.every(isCelUint)) {
    const total = items.reduce((so, item) => so + item.value, 0n)
    return celUint(inRange(total, 0n, 2n * maxInt + 1n))
  }
  const nanos = items.map(nanosOf).filter((n) => n !== undefined)
  if (nanos.length !== items.length) {
    throw new TypeError('only numbers or durations of one type have a sum')
  }
  const total = inRange(
    nanos.reduce((so, item) => so + item, 0n),
    -maxInt - 1n,
    maxInt,
  )
  return create(DurationSchema, {
    seconds: total / 1_000_000_000n,
    nanos: Number(total % 1_000_000_000n),
  })
}

function nanosOf(value: CelValue): bigint | undefined {
  if (!isReflectMessage(value) || !isMessage(value.message, DurationSchema)) return undefined
  return value.message.seconds * 1_000_000_000n + BigInt(value.message.nanos)
}

function inRange(value: bigint, from: bigint, to: bigint): bigint {
  if (value < from || value > to) throw new RangeError('the sum is too large')
  return value
}

function extreme(items: readonly CelValue[], direction: 1 | -1): CelValue {
  const [first, ...rest] = items
  if (first === undefined) throw new RangeError('an empty list has no least and no greatest item')
  // also where there is one item alone: it must have an order
  compare(first, first)
  return rest.reduce((best, item) => (compare(item, best) * direction > 0 ? item : best), first)
}
