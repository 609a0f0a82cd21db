import { RE2JS } from '@bufbuild/re2'
import { CelError, type CelValue, listOf, noOverload } from './values.ts'

type Texts = (on: string, ...more: readonly string[]) => CelValue

/** Over texts alone. */
function texts(call: Texts) {
  return (...values: readonly CelValue[]): CelValue => {
    const [on, ...more] = values.map(text)
    if (on === undefined) throw noOverload()
    return call(on, ...more)
  }
}

function text(value: CelValue): string {
  if (typeof value === 'string') return value
  throw noOverload()
}

function number(value: CelValue): number {
  if (typeof value === 'bigint') return Number(value)
  throw noOverload()
}

/** @throws CelError where it is not RE2 syntax */
export function pattern(source: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'unknown'
    throw new CelError(`error parsing regexp: ${message}`, { cause })
  }
}

function split(on: CelValue, by: CelValue, limit: CelValue = -1n): CelValue {
  const [whole, separator, most] = [text(on), text(by), number(limit)]
  const parts = separator === '' ? [...whole] : whole.split(separator)
  if (most < 0 || parts.length <= most) return parts
  if (most === 0) return []
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)]
}

function replace(on: CelValue, from: CelValue, to: CelValue, limit: CelValue = -1n): CelValue {
  const parts = text(on).split(text(from))
  const most = number(limit)
  if (most < 0 || parts.length - 1 <= most) return parts.join(text(to))
  const rest = parts.slice(most).join(text(from))
  return [...parts.slice(0, most), rest].join(text(to))
}

function substring(on: CelValue, from: CelValue, to?: CelValue): CelValue {
  const characters = [...text(on)]
  const [start, end] = [number(from), to === undefined ? characters.length : number(to)]
  if (start < 0 || start > characters.length) throw new CelError(`index out of range: ${start}`)
  if (end < 0 || end > characters.length) throw new CelError(`index out of range: ${end}`)
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`)
  return characters.slice(start, end).join('')
}

function indexOf(on: CelValue, of: CelValue): CelValue {
  const list = listOf(on)
  if (list !== undefined) throw noOverload()
  const found = text(on).indexOf(text(of))
  return BigInt(found < 0 ? -1 : [...text(on).slice(0, found)].length)
}

const lower = (on: string) => on.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const upper = (on: string) => on.replace(/[a-z]/g, (letter) => letter.toUpperCase())
const matches = texts((on, source = '') => pattern(source).test(on))

export const strings: Readonly<Record<string, (...values: readonly CelValue[]) => CelValue>> = {
  '.startsWith': texts((on, start = '') => on.startsWith(start)),
  '.endsWith': texts((on, end = '') => on.endsWith(end)),
  '.contains': texts((on, part = '') => on.includes(part)),
  '.matches': matches,
  matches,
  '.lowerAscii': texts(lower),
  '.upperAscii': texts(upper),
  '.trim': texts((on) => on.trim()),
  '.charAt': (on, at) => {
    const characters = [...text(on)]
    const index = number(at)
    if (index < 0 || index > characters.length) throw new CelError(`index out of range: ${index}`)
    return characters[index] ?? ''
  },
  '.split': split,
  '.replace': replace,
  '.substring': substring,
  '.indexOf': indexOf,
}
