import { type CelValue, isCelUint } from '@bufbuild/cel'
import { isMessage } from '@bufbuild/protobuf'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt'

/** Code points, not UTF-16 units: beyond U+FFFF the two orders differ. */
export function compareText(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let i = 0; i < length; i++) {
    const a = one.charCodeAt(i)
    const b = other.charCodeAt(i)
    // a surrogate stands for a code point above every other unit
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1
  }
  return one.length - other.length
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff

/**
 * Negative, zero or positive, for two values of one type that has an order.
 *
 * @throws TypeError for two types, or one without an order
 */
export function compare(one: CelValue, other: CelValue): number {
  if (typeof one === 'string' && typeof other === 'string') return compareText(one, other)
  if (typeof one === 'bigint' && typeof other === 'bigint') return sign(one < other, one > other)
  if (typeof one === 'number' && typeof other === 'number') {
    if (Number.isNaN(one) || Number.isNaN(other)) throw new TypeError('NaN has no order')
    return sign(one < other, one > other)
  }
  if (typeof one === 'boolean' && typeof other === 'boolean') return Number(one) - Number(other)
  if (isCelUint(one) && isCelUint(other)) {
    return sign(one.value < other.value, one.value > other.value)
  }
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other)
  const a = instant(one, other)
  const b = instant(other, one)
  if (a === undefined || b === undefined) throw new TypeError('values that cannot be put in order')
  return sign(a < b, a > b)
}

/** Billionths of a second, of a timestamp or a duration beside one of its own type. */
function instant(value: CelValue, other: CelValue): bigint | undefined {
  if (!isReflectMessage(value) || !isReflectMessage(other)) return undefined
  if (value.desc.typeName !== other.desc.typeName) return undefined
  const { message } = value
  if (!isMessage(message, TimestampSchema) && !isMessage(message, DurationSchema)) return undefined
  return message.seconds * 1_000_000_000n + BigInt(message.nanos)
}

function sign(less: boolean, more: boolean): number {
  return less ? -1 : more ? 1 : 0
}
