import { styleText } from 'node:util'
import { type Threat, threats } from './threats.ts'
import type { Trial } from './trials.ts'

export interface Report {
  readonly text: string
  /** Every threat was tried, and every attempt failed. */
  readonly ok: boolean
}

const marks = { held: ['green', '✔'], broken: ['red', '✘'], skipped: ['yellow', '–'] } as const

/** The table: each threat, what was tried, what happened. */
export function report(trials: readonly Trial[], wanted: readonly string[]): Report {
  const chosen = threats.filter(({ id }) => wanted.length === 0 || wanted.includes(id))
  const rows = chosen.map((threat) => {
    return { threat, tried: trials.filter(({ ids }) => ids.includes(threat.id)) }
  })
  const untried = rows.filter(({ tried }) => tried.every(({ outcome }) => outcome === 'skipped'))
  const broken = rows.filter(({ tried }) => tried.some(({ outcome }) => outcome === 'broken'))
  const held = rows.length - untried.length - broken.length
  const text = rows.map(({ threat, tried }) => row(threat, tried)).join('\n')
  const sum = `${rows.length} attacks: ${held} held off, ${broken.length} not, ${untried.length} not tried`
  return { text: `${text}\n${sum}\n`, ok: untried.length + broken.length === 0 }
}

function row({ id, attack, must }: Threat, tried: readonly Trial[]): string {
  const head = `${styleText('bold', id)}  ${attack}\n     → ${must}\n`
  if (tried.length === 0) return `${head}     ${styleText('red', 'not tried')}\n`
  const lines = tried.map(({ name, file, outcome }) => {
    const [colour, mark] = marks[outcome]
    return `     ${styleText(colour, mark)} ${name}  ${styleText('dim', file)}\n`
  })
  return `${head}${lines.join('')}`
}
