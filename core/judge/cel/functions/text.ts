import {
  type CelFunc,
  type CelList,
  type CelResult,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  celMethod,
  isCelError,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { boundedItems, boundedText, maxText, type Steps } from '../steps.ts'
import { described, type Family } from './family.ts'

const { BOOL, DYN, INT, STRING } = CelScalar
const list = listType(DYN)

/**
 * Texts, by code points and within bounds. The library counts UTF-16 units and lets `replace` and
 * `join` make texts of any size.
 */
export function texts(steps: Steps): Family {
  return {
    title: 'Texts',
    functions: [
      described('contains', ['string.contains(string) → bool'], 'Whether it has the other in it.'),
      described('startsWith', ['string.startsWith(string) → bool'], 'Whether it starts so.'),
      described('endsWith', ['string.endsWith(string) → bool'], 'Whether it ends so.'),
      described(
        'matches',
        ['string.matches("RE2") → bool'],
        'Whether it matches the regular expression, a literal in RE2 syntax of at most 256 characters.',
      ),
      described(
        'charAt',
        ['string.charAt(int) → string'],
        'The character there; the end has none, `""`.',
      ),
      described(
        'substring',
        ['string.substring(int) → string', 'string.substring(int, int) → string'],
        'The characters from there on, or up to before there.',
      ),
      described(
        'lowerAscii',
        ['string.lowerAscii() → string'],
        'With ASCII letters in lower case.',
      ),
      described(
        'upperAscii',
        ['string.upperAscii() → string'],
        'With ASCII letters in upper case.',
      ),
      described('trim', ['string.trim() → string'], 'Without white space around it.'),
      described(
        'replace',
        ['string.replace(string, string) → string', 'string.replace(string, string, int) → string'],
        'With every occurrence of the first replaced by the second, or the first so many.',
      ),
      described(
        'split',
        ['string.split(string) → list', 'string.split(string, int) → list'],
        'The parts between the separator, or at most so many.',
      ),
      described(
        'join',
        ['list.join() → string', 'list.join(string) → string'],
        'The texts of the list in one, with the separator between them.',
      ),
      described(
        'format',
        ['string.format(list) → string'],
        'With `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x` and `%X` filled in.',
      ),
      described(
        'strings.quote',
        ['strings.quote(string) → string'],
        'In quotes, with what is special escaped.',
      ),
    ],
    implementations: [
      celMethod('contains', STRING, [STRING], BOOL, function (part) {
        steps.read(this)
        return this.includes(part)
      }),
      ...positions(steps),
      celMethod('lowerAscii', STRING, [], STRING, function () {
        steps.read(this)
        return this.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
      }),
      celMethod('upperAscii', STRING, [], STRING, function () {
        steps.read(this)
        return this.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
      }),
      ...pieces(steps),
      ...theirs(steps),
    ],
  }
}

/** Characters as CEL counts them. */
function characters(text: string, steps: Steps): readonly string[] {
  steps.read(text)
  return [...text]
}

function position(index: bigint, length: number): number {
  if (index < 0n || index > BigInt(length)) {
    throw new RangeError(`there is no character \`${index}\` in a text of ${length}`)
  }
  return Number(index)
}

function positions(steps: Steps): CelFunc[] {
  const first = (text: string, part: string, from: bigint) => {
    const all = characters(text, steps)
    const start = position(from, all.length)
    const at = text.indexOf(part, all.slice(0, start).join('').length)
    return BigInt(at < 0 ? -1 : [...text.slice(0, at)].length)
  }
  const last = (text: string, part: string, from: bigint | undefined) => {
    const all = characters(text, steps)
    const start = from === undefined ? all.length : position(from, all.length)
    const at = text.lastIndexOf(part, all.slice(0, start).join('').length)
    return BigInt(at < 0 ? -1 : [...text.slice(0, at)].length)
  }
  const between = (text: string, from: bigint, to: bigint | undefined) => {
    const all = characters(text, steps)
    const start = position(from, all.length)
    const end = to === undefined ? all.length : position(to, all.length)
    if (start > end) throw new RangeError('the end is before the start')
    return all.slice(start, end).join('')
  }
  return [
    celMethod('charAt', STRING, [INT], STRING, function (index) {
      const all = characters(this, steps)
      return all[position(index, all.length)] ?? ''
    }),
    celMethod('indexOf', STRING, [STRING], INT, function (part) {
      return first(this, part, 0n)
    }),
    celMethod('indexOf', STRING, [STRING, INT], INT, function (part, from) {
      return first(this, part, from)
    }),
    celMethod('lastIndexOf', STRING, [STRING], INT, function (part) {
      return last(this, part, undefined)
    }),
    celMethod('lastIndexOf', STRING, [STRING, INT], INT, function (part, from) {
      return last(this, part, from)
    }),
    celMethod('substring', STRING, [INT], STRING, function (from) {
      return between(this, from, undefined)
    }),
    celMethod('substring', STRING, [INT, INT], STRING, function (from, to) {
      return between(this, from, to)
    }),
  ]
}

/** Texts taken apart and put together. A negative limit is none. */
function pieces(steps: Steps): CelFunc[] {
  const split = (text: string, separator: string, limit: bigint) => {
    steps.read(text)
    if (limit === 0n) return celList([])
    const all = separator === '' ? [...text] : text.split(separator)
    const most = limit < 0n ? all.length : Math.min(Number(limit), all.length)
    boundedItems(most)
    const rest = all.slice(most - 1).join(separator)
    return celList(most < all.length ? [...all.slice(0, most - 1), rest] : all)
  }
  const replace = (text: string, part: string, by: string, limit: bigint) => {
    steps.read(text)
    const all = part === '' ? ['', ...text, ''] : text.split(part)
    const gaps = all.length - 1
    const most = limit < 0n ? gaps : Math.min(Number(limit), gaps)
    boundedText(text.length + most * (by.length - part.length))
    return (
      all.slice(0, most + 1).join(by) + (most < gaps ? part + all.slice(most + 1).join(part) : '')
    )
  }
  const join = (items: CelList, separator: string) => {
    steps.spend(items.size)
    const all: string[] = []
    let size = 0
    for (const item of items) {
      if (typeof item !== 'string') throw new TypeError('only texts can be joined')
      size += item.length + separator.length
      boundedText(size - separator.length)
      all.push(item)
    }
    return all.join(separator)
  }
  return [
    celMethod('split', STRING, [STRING], list, function (separator) {
      return split(this, separator, -1n)
    }),
    celMethod('split', STRING, [STRING, INT], list, function (separator, limit) {
      return split(this, separator, limit)
    }),
    celMethod('replace', STRING, [STRING, STRING], STRING, function (part, by) {
      return replace(this, part, by, -1n)
    }),
    celMethod('replace', STRING, [STRING, STRING, INT], STRING, function (part, by, limit) {
      return replace(this, part, by, limit)
    }),
    celMethod('join', list, [], STRING, function () {
      return join(this, '')
    }),
    celMethod('join', list, [STRING], STRING, function (separator) {
      return join(this, separator)
    }),
  ]
}

/** The library's own `trim`, `format` and `quote`; what goes in bounds what comes out. */
function theirs(steps: Steps): CelFunc[] {
  const [trim, format, quote] = [named('trim'), named('format'), named('strings.quote')]
  return [
    celMethod('trim', STRING, [], STRING, function () {
      steps.read(this)
      return textOf(trim.call(0, this, []))
    }),
    celMethod('format', STRING, [list], STRING, function (values) {
      steps.spend((this.length + weigh(values, 8 * maxText)) >>> 6)
      const text = textOf(format.call(0, this, [values]))
      boundedText(text.length)
      return text
    }),
    celFunc('strings.quote', [STRING], STRING, (text) => {
      steps.read(text)
      boundedText(2 * text.length)
      return textOf(quote.call(0, undefined, [text]))
    }),
  ]
}

function named(name: string): CelFunc {
  const found = strings.find((f) => f.name === name)
  if (found === undefined) throw new TypeError(`the library has no \`${name}\``)
  return found
}

function textOf(result: CelResult | undefined): string {
  if (isCelError(result)) throw result
  if (typeof result !== 'string') throw new TypeError('not a text')
  return result
}

/** At most how long a value is as text. @throws RangeError beyond the limit */
function weigh(value: CelValue, limit: number): number {
  if (typeof value === 'string') return 6 * value.length
  if (value instanceof Uint8Array) return 6 * value.length
  let weight = 128
  const add = (item: CelValue) => {
    weight += weigh(item, limit)
    if (weight > limit) throw new RangeError(`makes a text of more than ${maxText} characters`)
  }
  if (isCelList(value)) for (const item of value) add(item)
  if (isCelMap(value)) {
    for (const [key, item] of value) {
      add(key)
      add(item)
    }
  }
  return weight
}
