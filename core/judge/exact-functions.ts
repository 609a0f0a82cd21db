import {
  type CelFunc,
  CelScalar,
  celFunc,
  celListConcat,
  celMethod,
  listType,
  objectType,
} from '@bufbuild/cel'
import { TimestampSchema, timestampDate } from '@bufbuild/protobuf/wkt'

const { BYTES, DOUBLE, DYN, INT, STRING, UINT } = CelScalar

/** Characters or bytes of what a rule may put together; as much as a whole request has. */
const maxText = 65_536
/** Items of a list that a rule may put together. */
const maxItems = 10_000

/**
 * Replacements for functions of the CEL library: its calendar goes through the machine's time
 * zone, where an hour may be missing, and its `int("")` is 0 and its `double("x")` NaN, which
 * compares false with everything. Its `+` makes values of any size: a few `map(x, x + x)` in a row
 * fill the memory without many rounds.
 */
export function exactFunctions(): CelFunc[] {
  const timestamp = objectType(TimestampSchema)
  const reckoned = (name: string, from: (date: Date) => number) =>
    celMethod(name, timestamp, [], INT, function () {
      return BigInt(from(timestampDate(this.message)))
    })
  return [
    reckoned('getFullYear', (d) => d.getUTCFullYear()),
    reckoned('getMonth', (d) => d.getUTCMonth()),
    reckoned('getDate', (d) => d.getUTCDate()),
    reckoned('getDayOfMonth', (d) => d.getUTCDate() - 1),
    reckoned('getDayOfWeek', (d) => d.getUTCDay()),
    reckoned('getDayOfYear', dayOfYear),
    reckoned('getHours', (d) => d.getUTCHours()),
    reckoned('getMinutes', (d) => d.getUTCMinutes()),
    reckoned('getSeconds', (d) => d.getUTCSeconds()),
    reckoned('getMilliseconds', (d) => d.getUTCMilliseconds()),
    celFunc('int', [STRING], INT, whole),
    celFunc('uint', [STRING], UINT, (text) => {
      throw new TypeError(`\`uint("${text.slice(0, 32)}")\` is not offered; use \`int\``)
    }),
    celFunc('double', [STRING], DOUBLE, (text) => {
      if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new TypeError('not a number')
      return Number(text)
    }),
    ...boundedSums(),
  ]
}

function boundedSums(): CelFunc[] {
  const list = listType(DYN)
  const within = (size: number, max: number) => {
    if (size > max) throw new RangeError(`\`+\` makes more than ${max} characters or items`)
  }
  return [
    celFunc('_+_', [STRING, STRING], STRING, (a, b) => {
      within(a.length + b.length, maxText)
      return a + b
    }),
    celFunc('_+_', [BYTES, BYTES], BYTES, (a, b) => {
      within(a.length + b.length, maxText)
      return Uint8Array.from([...a, ...b])
    }),
    celFunc('_+_', [list, list], list, (a, b) => {
      within(a.size + b.size, maxItems)
      return celListConcat(a, b)
    }),
  ]
}

function whole(text: string): bigint {
  if (!/^[+-]?\d{1,18}$/.test(text)) throw new TypeError('not a whole number')
  return BigInt(text.replace('+', ''))
}

function dayOfYear(date: Date): number {
  const newYear = new Date(date.getTime())
  newYear.setUTCMonth(0, 1)
  newYear.setUTCHours(0, 0, 0, 0)
  return Math.floor((date.getTime() - newYear.getTime()) / 86_400_000)
}
