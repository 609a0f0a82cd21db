import type { FieldError } from '../resources/resource.ts'

/** A value as messages show it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  return value === undefined ? 'null' : JSON.stringify(value)
}

export function invalid(field: string, value: string, message: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${value}: ${message}` }
}

const short: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

/** Quoted as Go does it, in whose words the API server speaks. */
function quoted(text: string): string {
  const characters = [...text].map((character) => {
    const known = short[character]
    if (known !== undefined) return known
    if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) return character
    const code = character.codePointAt(0) ?? 0
    const hex = (digits: number) => code.toString(16).padStart(digits, '0')
    if (code < 0x80) return `\\x${hex(2)}`
    return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
  })
  return `"${characters.join('')}"`
}
