import {
  type CelFunc,
  CelScalar,
  celFunc,
  celListConcat,
  celMethod,
  celUint,
  listType,
  mapType,
} from '@bufbuild/cel'
import { boundedItems, boundedText, type Steps } from '../steps.ts'
import { includes, same } from './equality.ts'
import { described, type Family } from './family.ts'
import { compareText } from './order.ts'
import type { Patterns } from './patterns.ts'

const { BOOL, BYTES, DOUBLE, DYN, INT, STRING, UINT } = CelScalar
const list = listType(DYN)
const map = mapType(DYN, DYN)

/**
 * Operators and conversions. Of the library's own, `int("")` is 0 and `double("x")` NaN, which
 * compares false with everything; a key with the value null is absent; texts are in the order of
 * UTF-16 units; `+` makes values of any size, so a few `map(x, x + x)` in a row fill the memory.
 */
export function values(steps: Steps, patterns: Patterns): Family {
  return {
    title: 'Values',
    functions: [
      described(
        'size',
        ['size(string) → int', 'size(bytes) → int', 'size(list) → int', 'size(map) → int'],
        'How many characters, bytes, items or keys; also as a method.',
      ),
      described('int', ['int(value) → int'], 'As a whole number; a text only if it is one.'),
      described('uint', ['uint(value) → uint'], 'As a whole number from 0.'),
      described(
        'double',
        ['double(value) → double'],
        'As a number; a text only if it is a finite one.',
      ),
      described('string', ['string(value) → string'], 'As text.'),
      described('bytes', ['bytes(string) → bytes'], 'As bytes of UTF-8.'),
      described('bool', ['bool(string) → bool'], 'As `true` or `false`.'),
      described('type', ['type(value) → type'], 'The type, to compare with `int`, `string`, ….'),
      described('dyn', ['dyn(value) → value'], 'The value itself.'),
    ],
    implementations: [
      celFunc('_==_', [DYN, DYN], BOOL, (a, b) => same(a, b, steps)),
      celFunc('_!=_', [DYN, DYN], BOOL, (a, b) => !same(a, b, steps)),
      celFunc('@in', [DYN, list], BOOL, (value, items) => includes(items, value, steps)),
      ...[STRING, INT, BOOL, UINT, DOUBLE].map((key) =>
        celFunc('@in', [key, map], BOOL, (value, items) => items.get(value) !== undefined),
      ),
      celMethod('matches', STRING, [STRING], BOOL, function (pattern) {
        steps.read(this)
        return patterns.test(pattern, this)
      }),
      ...comparisons(steps),
      ...conversions(steps),
      ...sums(steps),
    ],
  }
}

function comparisons(steps: Steps): CelFunc[] {
  const compared = (name: string, holds: (order: number) => boolean) =>
    celFunc(name, [STRING, STRING], BOOL, (a, b) => {
      steps.read(a.length < b.length ? a : b)
      return holds(compareText(a, b))
    })
  return [
    compared('_<_', (order) => order < 0),
    compared('_<=_', (order) => order <= 0),
    compared('_>_', (order) => order > 0),
    compared('_>=_', (order) => order >= 0),
  ]
}

function conversions(steps: Steps): CelFunc[] {
  const characters = (text: string) => {
    steps.read(text)
    let count = 0n
    for (const _ of text) count++
    return count
  }
  return [
    celFunc('size', [STRING], INT, characters),
    celMethod('size', STRING, [], INT, function () {
      return characters(this)
    }),
    celFunc('int', [STRING], INT, (text) => {
      if (!/^[+-]?\d{1,19}$/.test(text)) throw new TypeError('not a whole number')
      return within(BigInt(text.replace('+', '')), -(2n ** 63n), 2n ** 63n - 1n)
    }),
    celFunc('uint', [STRING], UINT, (text) => {
      if (!/^\d{1,20}$/.test(text)) throw new TypeError('not a whole number from 0')
      return celUint(within(BigInt(text), 0n, 2n ** 64n - 1n))
    }),
    celFunc('bytes', [STRING], BYTES, (text) => {
      steps.read(text)
      return new TextEncoder().encode(text)
    }),
    celFunc('double', [STRING], DOUBLE, (text) => {
      steps.read(text)
      if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new TypeError('not a number')
      const number = Number(text)
      if (!Number.isFinite(number)) throw new RangeError('the number is too large')
      return number
    }),
  ]
}

function within(value: bigint, from: bigint, to: bigint): bigint {
  if (value < from || value > to) throw new RangeError('the number is too large')
  return value
}

function sums(steps: Steps): CelFunc[] {
  return [
    celFunc('_+_', [STRING, STRING], STRING, (a, b) => {
      boundedText(a.length + b.length)
      return a + b
    }),
    celFunc('_+_', [BYTES, BYTES], BYTES, (a, b) => {
      boundedText(a.length + b.length)
      steps.spend((a.length + b.length) >>> 6)
      const sum = new Uint8Array(a.length + b.length)
      sum.set(a)
      sum.set(b, a.length)
      return sum
    }),
    celFunc('_+_', [list, list], list, (a, b) => {
      boundedItems(a.size + b.size)
      return celListConcat(a, b)
    }),
  ]
}
