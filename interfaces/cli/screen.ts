import { styleText } from 'node:util'
import { visible } from '@jackstay/contract/text'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A piece of a line. Its text may be anybody's: it is escaped when it is put on the screen. */
export interface Span {
  readonly text: string
  readonly style?: Style
}

/** One line of output. */
export type Line = readonly (string | Span)[]

const longest = 16 * 1024

export function styled(style: Style, text: string): Span {
  return { text, style }
}

/**
 * Lines as the terminal gets them. Every piece of text passes `visible`, so no colour, cursor
 * movement, bidi mark or line break of an agent, an alert or an API object gets through (T55); the
 * only control sequences are the ones of our own styles.
 */
export function render(lines: readonly Line[], colours: boolean): string {
  return lines.map((line) => `${line.map((span) => renderSpan(span, colours)).join('')}\n`).join('')
}

function renderSpan(span: string | Span, colours: boolean): string {
  const { text, style } = typeof span === 'string' ? { text: span, style: undefined } : span
  const shown = visible(text, longest)
  if (!colours || style === undefined) return shown
  return styleText(style, shown, { validateStream: false })
}

// what JSON.stringify leaves as it is although a terminal may act on it
const hidden = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu

/** JSON for machines that is safe on a screen too: the same value, hidden characters as escapes. */
export function renderJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replace(hidden, escapeUnits)
  return `${text}\n`
}

function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('')
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly Span[])[]): Line[] {
  const shown = rows.map((row) => row.map((cell) => ({ ...cell, text: visible(cell.text, 256) })))
  const widths = head.map((title, i) =>
    Math.max(title.length, ...shown.map((row) => row[i]?.text.length ?? 0)),
  )
  const pad = (text: string, i: number) =>
    i === head.length - 1 ? text : text.padEnd((widths[i] ?? 0) + 3)
  return [
    head.map((title, i) => styled('bold', pad(title, i))),
    ...shown.map((row) => row.map((cell, i) => ({ ...cell, text: pad(cell.text, i) }))),
  ]
}

const labelWidth = 14

/** A block of lines with its label in the left margin. */
export function section(label: string, lines: readonly Line[]): Line[] {
  return lines.map((line, i) => [
    styled('bold', (i === 0 ? label : '').padEnd(labelWidth)),
    ...line,
  ])
}
