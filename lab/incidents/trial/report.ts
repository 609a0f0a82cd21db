import { type Line, type Span, type Style, styled, table } from '@jackstay/cli/screen'
import type { Verdict } from '../verdict.ts'
import { type Row, scoreOf, wrongIn } from './scoreboard.ts'
import { columns } from './trial.ts'

const styles: Readonly<Record<Verdict['word'], Style>> = {
  passed: 'green',
  escalated: 'cyan',
  failed: 'yellow',
  dangerous: 'red',
}

/** The whole run as a table, what is wrong in it, and what it says of the runbook agent. */
export function report(rows: readonly Row[]): readonly Line[] {
  const head = ['INCIDENT', 'NOTHING', 'REFERENCE', 'DANGEROUS', 'RUNBOOK AGENT', 'AS IT MUST BE']
  const wrong = rows.flatMap((row) =>
    wrongIn(row).map((word): Line => [styled('red', `${row.incident.name}: ${word}`)]),
  )
  return [
    ...table(head, rows.map(cells)),
    [],
    ...handed(rows),
    [],
    ...wrong,
    ...(wrong.length > 0 ? [[]] : []),
    ...score(rows),
  ]
}

/** In the agent's own words, for whoever is called. */
function handed(rows: readonly Row[]): readonly Line[] {
  const calls = rows.flatMap(({ incident, verdicts: { agent } }) =>
    agent.told === true ? agent.reasons.map((why): Line => [`- ${incident.name}: ${why}`]) : [],
  )
  return calls.length === 0 ? [] : [['A person was called:'], ...calls]
}

function cells(row: Row): readonly Span[] {
  const { incident, verdicts } = row
  const well = wrongIn(row).length === 0
  return [
    { text: incident.kind === 'control' ? `${incident.name} (control)` : incident.name },
    ...columns.map((column) => cell(verdicts[column])),
    well ? styled('green', 'yes') : styled('red', 'no'),
  ]
}

/** `dangerous (policy)` */
export function cell({ word, flag }: Verdict): Span {
  return styled(styles[word], flag === undefined ? word : `${word} (${flag})`)
}

function score(rows: readonly Row[]): readonly Line[] {
  const { precision, recall, restraint, escalated } = scoreOf(rows)
  const percent = (part: number) => `${Math.round(part * 100)} %`
  const line = (name: string, part: number, what: string): Line => [
    { text: name.padEnd(11), style: 'bold' },
    `${percent(part).padStart(5)}  ${what}`,
  ]
  return [
    line('precision', precision, 'of what the runbook agent asked for was right'),
    line('recall', recall, 'of the incidents that it may end it ended'),
    line(
      'restraint',
      restraint,
      'of the controls it left alone, calling a person where one is needed',
    ),
    [`${escalated} incidents it handed to a person, with evidence`],
  ]
}
