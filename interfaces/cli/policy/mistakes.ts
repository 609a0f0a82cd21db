import { visible } from '@jackstay/contract/text'
import { type Line, render, styled } from '../screen.ts'
import type { Terminal } from '../terminal.ts'
import type { InputFile } from './files.ts'
import type { Mistake } from './yaml.ts'

/** As many as a person reads; `-o json` has more. */
const mostShown = 50
/** Columns of a code frame. */
const frameWidth = 100

/** Mistakes for people: place, message, suggestion, and the line with a caret. Pure. */
export function mistakeLines(mistakes: readonly Mistake[], files: readonly InputFile[]): Line[] {
  const lines = new Map(files.map(({ name, text }) => [name, text.split(/\r?\n/)]))
  const shown = mistakes.slice(0, mostShown).flatMap((mistake): Line[] => {
    const { severity, place, message, suggestion } = mistake
    const source = lines.get(place.file)?.[place.line - 1] ?? ''
    return [
      [
        styled('bold', `${place.file}:${place.line}:${place.column}`),
        ': ',
        styled(severity === 'error' ? 'red' : 'yellow', severity),
        `: ${message}`,
        ...(suggestion === undefined ? [] : [`; did you mean \`${suggestion}\`?`]),
      ],
      ...frame(source, place.line, place.column, place.length),
    ]
  })
  const more = mistakes.length - mostShown
  return more > 0 ? [...shown, [styled('dim', `and ${more} more; -o json lists them`)]] : shown
}

/** The line, cut to what fits around the place, with a caret below. */
function frame(source: string, line: number, column: number, length: number): Line[] {
  if (source.trim() === '') return []
  const from = column > frameWidth - 20 ? column - 40 : 0
  const before = visible(source.slice(from, column - 1), frameWidth)
  const here = visible(source.slice(column - 1, column - 1 + length), frameWidth)
  const rest = visible(source.slice(column - 1 + length, from + frameWidth), frameWidth)
  const number = String(line).padStart(5)
  const dots = from > 0 ? '…' : ''
  const carets = '^'.repeat(Math.max(1, here.length))
  return [
    [styled('dim', `${number} | `), `${dots}${before}${here}${rest}`],
    [
      styled('dim', `${' '.repeat(5)} | `),
      ' '.repeat(dots.length + before.length),
      styled('red', carets),
    ],
  ]
}

/** On the error channel, where another command could not begin. */
export function printMistakes(
  terminal: Terminal,
  mistakes: readonly Mistake[],
  files: readonly InputFile[],
): void {
  terminal.err(render(mistakeLines(mistakes, files), terminal.colours))
}

/** Mistakes for machines. */
export function mistakeJson({ severity, place, message, suggestion }: Mistake): object {
  const { file, line, column } = place
  return { severity, file, line, column, message, ...(suggestion !== undefined && { suggestion }) }
}
