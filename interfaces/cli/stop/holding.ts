import { systemNamespace } from '@jackstay/contract/namespaces'
import { type Line, styled, typed } from '../screen.ts'
import { describeScope, flagOf, type Scope } from './scope.ts'
import type { Stop } from './standing.ts'

/** Stops that hold a whole scope: of everything, of its namespace, of itself. Who is in a class is not looked up. */
export function holding(scope: Scope, stops: readonly Stop[]): Stop[] {
  return stops.filter((stop) => isSame(stop.scope, scope) || isWithin(scope, stop.scope))
}

export function isSame(a: Scope, b: Scope): boolean {
  return a.by === b.by && describeScope(a) === describeScope(b)
}

function isWithin(scope: Scope, wider: Scope): boolean {
  if (wider.by !== 'label') return false
  if (wider.namespace === systemNamespace) return true
  return scope.by === 'kind' && scope.subject.target?.namespace === wider.namespace
}

/** A new stop changes nothing while these hold what it names. */
export function heldAlready(stop: Stop, held: readonly Stop[]): Line[] {
  const [first] = held.filter(({ sparesUndo }) => !sparesUndo || stop.sparesUndo)
  if (first === undefined) return []
  const words = `: ${describeScope(first.scope)} is stopped already; this one counts once that is lifted`
  return [[styled('yellow', 'this changes nothing now'), words]]
}

/** What was resumed does not move while these hold it. */
export function heldStill(held: readonly Stop[]): Line[] {
  return held.map(({ scope }) => [
    styled('yellow', 'nothing moves yet'),
    typed(`: ${describeScope(scope)} is stopped: jackstay resume ${flagOf(scope)}`),
  ])
}
