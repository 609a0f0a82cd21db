import type { KubeClient } from '@jackstay/kube/client'
import { assertAskable, confirmed } from '../confirm.ts'
import { exitCodes } from '../exit-codes.ts'
import { CommandFailed } from '../failure.ts'
import { type Line, section, styled } from '../screen.ts'
import { print, printData, type Terminal } from '../terminal.ts'
import { heldStill, holding, isSame } from './holding.ts'
import { lift } from './lift.ts'
import { type Moving, movingLines, movingWith } from './moving.ts'
import { describeScope, type Scope } from './scope.ts'
import { type Standing, type Stop, standing, stopLines } from './standing.ts'

export interface ResumeRequest {
  readonly scope: Scope
  readonly yes: boolean
  readonly json: boolean
}

/** Shows what would start moving, asks, lifts every stop of exactly this scope. */
export async function resume(
  { scope, yes, json }: ResumeRequest,
  client: KubeClient,
  terminal: Terminal,
): Promise<void> {
  if (!yes) assertAskable(terminal, json, 'see `jackstay status`, then')
  const { signal } = terminal
  const before = await standing(client, signal)
  const mine = before.stops.filter((stop) => isSame(stop.scope, scope))
  if (mine.length === 0) {
    nothing(scope, before, terminal, json)
    return
  }
  const moving = await movingWith(scope, client, signal)
  if (!json) print(terminal, [...question(mine, moving, before.stops), []])
  if (!yes) await confirmed(terminal, `resume ${describeScope(scope)}?`)
  for (const stop of mine) await lift(stop, client, signal)
  const after = await standing(client, signal)
  if (json) {
    printData(terminal, { lifted: mine, moving, standing: after })
    return
  }
  print(terminal, [
    [styled('green', 'resumed'), `: ${describeScope(scope)}`],
    ...heldStill(holding(scope, after.stops)),
    ...left(after),
  ])
}

function question(mine: readonly Stop[], moving: Moving, all: readonly Stop[]): Line[] {
  const now = Date.now()
  const staying = all.filter((stop) => !mine.includes(stop))
  return [
    ...section('Lifts', stopLines(mine, now)),
    ...section('Would move', movingLines(moving)),
    ...section('Stays', staying.length > 0 ? stopLines(staying, now) : [['no other stop']]),
  ]
}

/** Resuming what runs is done, unless it could not be seen whether it runs. */
function nothing(
  scope: Scope,
  { stops, unread }: Standing,
  terminal: Terminal,
  json: boolean,
): void {
  if (unread.length > 0) {
    throw new CommandFailed(
      exitCodes.unreachable,
      'forbidden',
      `no stop of ${describeScope(scope)} is to be seen, but ${unread.join('; ')}`,
    )
  }
  if (json) {
    printData(terminal, { lifted: [], standing: { stops, unread } })
    return
  }
  print(terminal, [
    [styled('yellow', 'nothing was lifted'), `: there is no stop of ${describeScope(scope)}`],
    ...heldStill(holding(scope, stops)),
    ...left({ stops, unread }),
  ])
}

function left({ stops, unread }: Standing): Line[] {
  const missing = unread.map((what): Line => [styled('yellow', `not seen: ${what}`)])
  if (stops.length === 0) return [...missing, [styled('dim', 'no suspension is in force')]]
  return [...missing, ['still in force:'], ...stopLines(stops, Date.now())]
}
