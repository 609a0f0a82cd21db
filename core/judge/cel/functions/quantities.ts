import { CelScalar, celFunc, celMethod } from '@bufbuild/cel'
import { described, type Family } from './family.ts'
import { type Opaque, opaque } from './opaque.ts'

const { BOOL, DOUBLE, INT, STRING } = CelScalar

/** An amount of a resource in billionths, the finest that Kubernetes keeps. */
type Nanos = bigint

const one = 1_000_000_000n
const maxInt = 2n ** 63n - 1n
const decimal: Readonly<Record<string, number>> = {
  ...{ n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
}
const binary: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
}
const form =
  /^([+-]?)(\d{1,64})?(?:\.(\d{0,64}))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?$/

/** Kubernetes' resource amounts, such as `250m`, `1.5Gi` or `2e3`. Finer than billionths rounds up. */
export function readQuantity(text: string): Nanos | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', powerOfTwo, unit = '', exponent] = match
  if (whole + fraction === '') return undefined
  const digits = BigInt(whole + fraction)
  const tens = Number(exponent ?? decimal[unit] ?? 0) + 9 - fraction.length
  const scaled = digits * (powerOfTwo === undefined ? 1n : (binary[powerOfTwo] ?? 1n))
  const divisor = tens < 0 ? 10n ** BigInt(-tens) : 1n
  const size = tens < 0 ? (scaled + divisor - 1n) / divisor : scaled * 10n ** BigInt(tens)
  return sign === '-' ? -size : size
}

export const quantityType: Opaque<Nanos> = opaque('kubernetes.Quantity', {
  write: String,
  read: BigInt,
})

function quantity(text: string): Nanos {
  const nanos = readQuantity(text)
  if (nanos === undefined) throw new TypeError('not a quantity such as `250m` or `1.5Gi`')
  return nanos
}

const isWhole = (nanos: Nanos) =>
  nanos % one === 0n && nanos / one <= maxInt && nanos / one >= -maxInt - 1n

export function quantities(): Family {
  const { type, wrap, unwrap } = quantityType
  const sign = (nanos: Nanos) => (nanos > 0n ? 1n : nanos < 0n ? -1n : 0n)
  return {
    title: 'Quantities',
    functions: [
      described('quantity', ['quantity(string) → Quantity'], 'A resource amount such as `250m`.'),
      described('isQuantity', ['isQuantity(string) → bool'], 'Whether a text is such an amount.'),
      described('sign', ['Quantity.sign() → int'], '1, 0 or -1.'),
      described('isInteger', ['Quantity.isInteger() → bool'], 'Whether `asInteger` has an answer.'),
      described('asInteger', ['Quantity.asInteger() → int'], 'The amount, if it is whole.'),
      described(
        'asApproximateFloat',
        ['Quantity.asApproximateFloat() → double'],
        'The amount, perhaps not exactly.',
      ),
      described(
        'add',
        ['Quantity.add(Quantity) → Quantity', 'Quantity.add(int) → Quantity'],
        'The sum.',
      ),
      described(
        'sub',
        ['Quantity.sub(Quantity) → Quantity', 'Quantity.sub(int) → Quantity'],
        'The difference.',
      ),
      described(
        'isGreaterThan',
        ['Quantity.isGreaterThan(Quantity) → bool', 'Semver.isGreaterThan(Semver) → bool'],
        'Whether it is more than the other.',
      ),
      described(
        'isLessThan',
        ['Quantity.isLessThan(Quantity) → bool', 'Semver.isLessThan(Semver) → bool'],
        'Whether it is less than the other.',
      ),
      described(
        'compareTo',
        ['Quantity.compareTo(Quantity) → int', 'Semver.compareTo(Semver) → int'],
        '1, 0 or -1: more, the same or less.',
      ),
    ],
    implementations: [
      celFunc('quantity', [STRING], type, (text) => wrap(quantity(text))),
      celFunc('isQuantity', [STRING], BOOL, (text) => readQuantity(text) !== undefined),
      celMethod('sign', type, [], INT, function () {
        return sign(unwrap(this))
      }),
      celMethod('isInteger', type, [], BOOL, function () {
        return isWhole(unwrap(this))
      }),
      celMethod('asInteger', type, [], INT, function () {
        const nanos = unwrap(this)
        if (!isWhole(nanos)) throw new RangeError('the quantity is not a whole number')
        return nanos / one
      }),
      celMethod('asApproximateFloat', type, [], DOUBLE, function () {
        return Number(unwrap(this)) / 1e9
      }),
      celMethod('add', type, [type], type, function (other) {
        return wrap(unwrap(this) + unwrap(other))
      }),
      celMethod('add', type, [INT], type, function (other) {
        return wrap(unwrap(this) + other * one)
      }),
      celMethod('sub', type, [type], type, function (other) {
        return wrap(unwrap(this) - unwrap(other))
      }),
      celMethod('sub', type, [INT], type, function (other) {
        return wrap(unwrap(this) - other * one)
      }),
      celMethod('isGreaterThan', type, [type], BOOL, function (other) {
        return unwrap(this) > unwrap(other)
      }),
      celMethod('isLessThan', type, [type], BOOL, function (other) {
        return unwrap(this) < unwrap(other)
      }),
      celMethod('compareTo', type, [type], INT, function (other) {
        return sign(unwrap(this) - unwrap(other))
      }),
    ],
  }
}
