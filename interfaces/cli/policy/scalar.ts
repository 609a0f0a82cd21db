import { Scalar } from 'yaml'

/** What stands in a scalar but is no character of its value, and what a value may do without. */
const blank = /[ \t\r\n]/

/**
 * Where a character of a scalar's value stands in the file. YAML folds, indents and escapes, but
 * every character of the value that is not blank has one place in the source, in the same order:
 * so the nth of one is the nth of the other. A blank one is placed at the next that is not.
 */
export function offsetInScalar(source: string, node: Scalar, index: number): number {
  const { value, range } = node
  const [start, end] = range ?? [0, 0]
  if (typeof value !== 'string') return start
  const before = [...units(value.slice(0, index))].filter((unit) => !blank.test(unit)).length
  let seen = 0
  for (const at of marks(source, node.type, start, end)) {
    if (seen === before) return at
    seen += 1
  }
  return Math.max(start, end - 1)
}

/** The offsets of the characters of the value that are not blank, in UTF-16 units. */
function* marks(
  source: string,
  type: Scalar.Type | null | undefined,
  start: number,
  end: number,
): Generator<number> {
  switch (type) {
    case Scalar.QUOTE_DOUBLE:
      yield* doubleQuoted(source, start + 1, end - 1)
      return
    case Scalar.QUOTE_SINGLE:
      for (let at = start + 1; at < end - 1; at++) {
        if (blank.test(source[at] ?? '')) continue
        yield at
        if (source[at] === "'") at++ // two quotes are one
      }
      return
    case Scalar.BLOCK_FOLDED:
    case Scalar.BLOCK_LITERAL:
      // the first line has the indicators and perhaps a comment
      yield* plain(source, afterLine(source, start), end)
      return
    default:
      yield* plain(source, start, end)
  }
}

function* plain(source: string, start: number, end: number): Generator<number> {
  for (let at = start; at < end; at++) if (!blank.test(source[at] ?? '')) yield at
}

function* doubleQuoted(source: string, start: number, end: number): Generator<number> {
  const sequence = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(\r?\n|[\s\S]))/y
  for (let at = start; at < end; at++) {
    const character = source[at] ?? ''
    if (character !== '\\') {
      if (!blank.test(character)) yield at
      continue
    }
    sequence.lastIndex = at
    const [whole = '\\', x, u, long, short = ''] = sequence.exec(source) ?? []
    const code = x ?? u ?? long
    const meant = code === undefined ? (blanks.has(short) ? ' ' : 'x') : fromCode(code)
    for (const unit of units(meant)) if (!blank.test(unit)) yield at
    at += whole.length - 1
  }
}

/** Escapes that mean a tab, a line break or a space, or nothing at all at the end of a line. */
const blanks = new Set(['t', '\t', 'n', 'r', ' ', '\n', '\r\n'])

function fromCode(hex: string): string {
  const code = Number.parseInt(hex, 16)
  return code > 0x10ffff ? 'x' : String.fromCodePoint(code)
}

function units(text: string): string[] {
  return text.split('')
}

function afterLine(source: string, from: number): number {
  const end = source.indexOf('\n', from)
  return end < 0 ? source.length : end + 1
}
