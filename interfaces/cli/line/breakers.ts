import { type BreakerList, breakerList } from '@jackstay/contract/api'
import type { Mediator } from '../mediator.ts'
import { type Line, type Span, type Style, styled, table } from '../screen.ts'
import { inTime } from './in-time.ts'

export function readBreakers(mediator: Mediator): Promise<BreakerList> {
  return mediator.read('/v1/breakers', breakerList)
}

/** Whoever is not at rest, and when it may try again. */
export function breakerLines({ breakers }: BreakerList, now: number, wide: boolean): Line[] {
  if (breakers.length === 0) return [[styled('green', 'every breaker is at rest')]]
  const head = ['STATE', 'SCOPE', 'KEY', 'CLASS', 'CAUSE', 'OPENED', 'TRIES AGAIN']
  const rows = breakers.map((one): Span[] => [
    styled(styleOf(one.state), one.state),
    { text: one.scope },
    { text: one.key },
    { text: one.class },
    { text: one.cause },
    { text: inTime(one.openedAt, now) },
    { text: one.state === 'open' ? inTime(one.retryAt, now) : '' },
    ...(wide ? [{ text: counted(one.counts) }] : []),
  ])
  return table([...head, ...(wide ? ['COUNTED'] : [])], rows)
}

function styleOf(state: BreakerList['breakers'][number]['state']): Style {
  return state === 'open' ? 'red' : state === 'half-open' ? 'yellow' : 'green'
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ')
}
