import { readQuantity } from '@jackstay/judge/quantities'
import { listFunctions } from './lists.ts'
import { int, sizeOf } from './operators.ts'
import { strings } from './strings.ts'
import { durationOf, durationText, timestampOf, timestampText, unconverted } from './times.ts'
import {
  CelError,
  type CelValue,
  Double,
  Duration,
  noOverload,
  numberOf,
  Optional,
  Quantity,
  Timestamp,
  TypeName,
  typeOf,
  Uint,
} from './values.ts'

/** A function: of a method the first value is what it is called on. */
export type CelFunction = (...values: readonly CelValue[]) => CelValue

function optional(value: CelValue): Optional {
  if (value instanceof Optional) return value
  throw noOverload()
}

const optionals: Readonly<Record<string, CelFunction>> = {
  'optional.of': (value) => new Optional(value),
  'optional.none': () => Optional.none,
  'optional.ofNonZeroValue': (value) => (isZero(value) ? Optional.none : new Optional(value)),
  '.orValue': (on, other) => {
    const { value } = optional(on)
    return value === undefined ? other : value
  },
  '.or': (on, other) => (optional(on).value === undefined ? optional(other) : on),
  '.hasValue': (on) => optional(on).value !== undefined,
  '.value': (on) => {
    const { value } = optional(on)
    if (value === undefined) throw new CelError('optional.none() dereference')
    return value
  },
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '') return true
  const number = numberOf(value)
  if (number !== undefined) return Number(number) === 0
  return typeof value === 'object' && sizeOf(value) === 0n
}

function toInt(value: CelValue): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint) return int(value.value)
  if (value instanceof Double && Number.isFinite(value.value)) {
    return int(BigInt(Math.trunc(value.value)))
  }
  if (value instanceof Timestamp) return value.nanos / 1_000_000_000n
  if (typeof value === 'string' && /^[-+]?\d+$/.test(value)) {
    return int(BigInt(value.replace('+', '')))
  }
  if (typeof value === 'string') throw unconverted('int')
  throw noOverload()
}

function toDouble(value: CelValue): Double {
  const number = numberOf(value)
  if (number !== undefined) return new Double(Number(number))
  if (typeof value !== 'string') throw noOverload()
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(value)) {
    throw unconverted('double')
  }
  return new Double(Number(value))
}

function toText(value: CelValue): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Double || value instanceof Uint) return String(value.value)
  if (value instanceof Duration) return durationText(value)
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  throw noOverload()
}

function text(value: CelValue): string {
  if (typeof value === 'string') return value
  throw noOverload()
}

const conversions: Readonly<Record<string, CelFunction>> = {
  dyn: (value) => value,
  int: toInt,
  uint: (value) => {
    const whole = toInt(value)
    if (whole < 0n) throw new CelError('unsigned integer overflow')
    return new Uint(whole)
  },
  double: toDouble,
  string: toText,
  bool: (value) => {
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 'false') return value === 'true'
    throw noOverload()
  },
  bytes: (value) => (value instanceof Uint8Array ? value : new TextEncoder().encode(text(value))),
  type: (value) => new TypeName(typeOf(value)),
  duration: (value) => (value instanceof Duration ? value : durationOf(text(value))),
  timestamp: (value) => (value instanceof Timestamp ? value : timestampOf(text(value))),
  size: sizeOf,
  '.size': sizeOf,
}

function parts(value: CelValue, unit: bigint): bigint {
  if (value instanceof Duration) return value.nanos / unit
  throw noOverload()
}

function quantity(value: CelValue): bigint {
  if (value instanceof Quantity) return value.nanos
  throw noOverload()
}

const kubernetes: Readonly<Record<string, CelFunction>> = {
  '.getHours': (on) => parts(on, 3_600_000_000_000n),
  '.getMinutes': (on) => parts(on, 60_000_000_000n),
  '.getSeconds': (on) => parts(on, 1_000_000_000n),
  quantity: (value) => {
    const nanos = readQuantity(text(value))
    if (nanos === undefined) {
      throw new CelError(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      )
    }
    return new Quantity(nanos)
  },
  isQuantity: (value) => readQuantity(text(value)) !== undefined,
  '.isGreaterThan': (on, other) => quantity(on) > quantity(other),
  '.isLessThan': (on, other) => quantity(on) < quantity(other),
  '.compareTo': (on, other) => {
    const [a, b] = [quantity(on), quantity(other)]
    return a < b ? -1n : a > b ? 1n : 0n
  },
}

/** Every function that is offered: `name` as it is called alone, `.name` on something. */
export const functions: Readonly<Record<string, CelFunction>> = {
  ...optionals,
  ...conversions,
  ...kubernetes,
  ...strings,
  ...listFunctions,
}
