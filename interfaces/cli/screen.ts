import { styleText } from 'node:util'
import { visible, visibleJson } from '@jackstay/contract/text'
import { asTyped } from './called-as.ts'
import type { Environment } from './terminal.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A piece of a line. Its text may be anybody's: it is escaped when it is put on the screen. */
export interface Span {
  readonly text: string
  readonly style?: Style
  /** Words of ours that name commands: shown as whoever reads them can type them. */
  readonly typed?: true
}

/** One line of output. */
export type Line = readonly (string | Span)[]

const longest = 16 * 1024

export function styled(style: Style, text: string): Span {
  return { text, style }
}

/** Words of ours with commands in them that people may type. */
export function typed(text: string, style?: Style): Span {
  return { text, typed: true, ...(style !== undefined && { style }) }
}

/**
 * Lines as the terminal gets them. Every piece of text passes `visible`, so no colour, cursor
 * movement, bidi mark or line break of an agent, an alert or an API object gets through (T55); the
 * only control sequences are the ones of our own styles. `env` says how we were called.
 */
export function render(lines: readonly Line[], colours: boolean, env: Environment = {}): string {
  const shown = (span: string | Span) => renderSpan(span, colours, env)
  return lines.map((line) => `${line.map(shown).join('')}\n`).join('')
}

function renderSpan(span: string | Span, colours: boolean, env: Environment): string {
  const { text, style, typed: ours }: Span = typeof span === 'string' ? { text: span } : span
  const shown = visible(ours ? asTyped(text, env) : text, longest)
  if (!colours || style === undefined) return shown
  return styleText(style, shown, { validateStream: false })
}

/** JSON for machines that is safe on a screen too. */
export function renderJson(value: unknown): string {
  return `${visibleJson(value, 2)}\n`
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
