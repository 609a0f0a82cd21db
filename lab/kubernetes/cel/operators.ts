import {
  at,
  CelError,
  type CelValue,
  Double,
  Duration,
  equal,
  fromJson,
  isMap,
  keysOf,
  listOf,
  noOverload,
  numberOf,
  Timestamp,
  Uint,
} from './values.ts'

type Binary = (a: CelValue, b: CelValue) => CelValue

const least = -(2n ** 63n)
const most = 2n ** 63n - 1n

export function int(value: bigint): bigint {
  if (value < least || value > most) throw new CelError('integer overflow')
  return value
}

function uint(value: bigint): Uint {
  if (value < 0n || value > 2n ** 64n - 1n) throw new CelError('unsigned integer overflow')
  return new Uint(value)
}

function arithmetic(
  whole: (a: bigint, b: bigint) => bigint,
  real?: (a: number, b: number) => number,
) {
  return (a: CelValue, b: CelValue): CelValue => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return int(whole(a, b))
    if (a instanceof Uint && b instanceof Uint) return uint(whole(a.value, b.value))
    if (a instanceof Double && b instanceof Double && real !== undefined) {
      return new Double(real(a.value, b.value))
    }
    throw noOverload()
  }
}

const sum = arithmetic(
  (a, b) => a + b,
  (a, b) => a + b,
)
const difference = arithmetic(
  (a, b) => a - b,
  (a, b) => a - b,
)

function add(a: CelValue, b: CelValue): CelValue {
  if (typeof a === 'string' && typeof b === 'string') return a + b
  const [list, other] = [listOf(a), listOf(b)]
  if (list !== undefined && other !== undefined) return [...list, ...other]
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos + b.nanos)
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.nanos + b.nanos)
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.nanos + b.nanos)
  return sum(a, b)
}

function subtract(a: CelValue, b: CelValue): CelValue {
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(a.nanos - b.nanos)
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.nanos - b.nanos)
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanos - b.nanos)
  return difference(a, b)
}

function nonZero(value: bigint, message: string): bigint {
  if (value === 0n) throw new CelError(message)
  return value
}

/** Below 0, 0 or above 0. @throws CelError where the two have no order */
export function compare(a: CelValue, b: CelValue): number {
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') {
    return Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  for (const type of [Duration, Timestamp]) {
    if (a instanceof type && b instanceof type) {
      return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
    }
  }
  throw noOverload()
}

function isIn(value: CelValue, where: CelValue): boolean {
  const list = listOf(where)
  if (list !== undefined) return list.some((item) => equal(item, value))
  if (!isMap(where)) throw noOverload()
  return at(where, value) !== undefined
}

/** What stands at an index or under a key; `undefined` where nothing does. */
export function indexed(of: CelValue, index: CelValue): CelValue {
  const list = listOf(of)
  if (list !== undefined) {
    const number = numberOf(index)
    return number === undefined ? undefined : fromJson(list[Number(number)])
  }
  return isMap(of) ? at(of, index) : undefined
}

function index(of: CelValue, key: CelValue): CelValue {
  const found = indexed(of, key)
  if (found !== undefined) return found
  if (listOf(of) !== undefined) {
    throw numberOf(key) === undefined
      ? new CelError(`unsupported index type '${typeof key}' in list`)
      : new CelError(`index out of bounds: ${numberOf(key)}`)
  }
  throw new CelError(`no such key: ${String(key)}`)
}

export const binary: Readonly<Record<string, Binary>> = {
  '_==_': equal,
  '_!=_': (a, b) => !equal(a, b),
  '_<_': (a, b) => compare(a, b) < 0,
  '_<=_': (a, b) => compare(a, b) <= 0,
  '_>_': (a, b) => compare(a, b) > 0,
  '_>=_': (a, b) => compare(a, b) >= 0,
  '_+_': add,
  '_-_': subtract,
  '_*_': arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '_/_': arithmetic(
    (a, b) => a / nonZero(b, 'division by zero'),
    (a, b) => a / b,
  ),
  '_%_': arithmetic((a, b) => a % nonZero(b, 'modulus by zero')),
  '@in': isIn,
  '_[_]': index,
}

export function negative(value: CelValue): CelValue {
  if (typeof value === 'bigint') return int(-value)
  if (value instanceof Double) return new Double(-value.value)
  throw noOverload()
}

export function sizeOf(value: CelValue): bigint {
  if (typeof value === 'string') return BigInt([...value].length)
  if (value instanceof Uint8Array) return BigInt(value.length)
  const list = listOf(value)
  if (list !== undefined) return BigInt(list.length)
  if (isMap(value)) return BigInt(keysOf(value).length)
  throw noOverload()
}
