import type { BreakerView } from '@jackstay/contract/api'
import type { MediatorStatus } from '@jackstay/contract/people-api'
import type { LedgerStatus } from '@jackstay/ledger/ledger-status'
import { age } from '../intents.ts'
import { type Line, section, styled, typed } from '../screen.ts'
import { enforcementLine } from '../stop/enforcement.ts'
import { type Standing, stopLines } from '../stop/standing.ts'
import { inTime } from './in-time.ts'
import type { Seen, Status, WaitingObjects } from './status.ts'
import type { WindowNow } from './windows.ts'

/** One screen. Pure. */
export function statusLines(status: Status, now: number): Line[] {
  const { mediator, oneOperator, breakers, ledger, stops, enforcement, waiting, windows } = status
  return [
    ...section(
      'Mediator',
      part(mediator, (one) => mediatorLines(one, now)),
    ),
    ...section('Rules', part(mediator, ruleLines)),
    ...section('Operators', part(oneOperator, operatorLines)),
    ...section('Suspensions', standingLines(stops, now)),
    ...section('Enforced', enforcement.map(enforcementLine)),
    ...section('Breakers', part(breakers, breakerSummary)),
    ...section(
      'Approvals',
      part(waiting, (one) => approvalLines(one, now)),
    ),
    ...section('Undos', part(waiting, heldLines)),
    ...section(
      'Ledger',
      part(ledger, (one) => ledgerLines(one, now)),
    ),
    ...section(
      'Windows',
      part(windows, (all) => windowSummary(all, now)),
    ),
    ...('unseen' in mediator
      ? section('Seen by', [
          [styled('yellow', 'the API server alone, with your own rights: the mediator is away')],
        ])
      : []),
  ]
}

function part<T>(seen: Seen<T>, lines: (value: T) => Line[]): Line[] {
  return 'value' in seen ? lines(seen.value) : [[styled('yellow', `not seen: ${seen.unseen}`)]]
}

function mediatorLines({ notReady, caches, startedAt }: MediatorStatus, now: number): Line[] {
  const synced = caches.filter((cache) => cache.synced).length
  const head = `, up ${age(startedAt, now)}, ${synced} of ${caches.length} caches in step`
  if (notReady.length === 0) return [[styled('green', 'ready'), head]]
  return [
    [styled('red', 'not ready'), head],
    ...notReady.map((why): Line => [styled('red', `  ${why}`)]),
  ]
}

function ruleLines({ rules }: MediatorStatus): Line[] {
  if (!rules.loaded) return [[styled('red', 'not loaded: everything is denied')]]
  if (rules.problems.length === 0) return [[styled('green', 'loaded')]]
  return [
    [styled('red', `loaded, ${rules.problems.length} do not read and deny`)],
    ...rules.problems.map((problem): Line => [`  ${problem}`]),
  ]
}

function operatorLines(one: boolean): Line[] {
  if (!one) return [['more than one: who asks for an approval does not give it']]
  return [[styled('yellow', 'one-operator mode: one person may serve several approvals')]]
}

function standingLines({ stops, unread }: Standing, now: number): Line[] {
  const missing = unread.map((what): Line => [styled('yellow', `not seen: ${what}`)])
  if (stops.length > 0) return [...missing, ...stopLines(stops, now)]
  return unread.length > 0 ? missing : [[styled('green', 'none in force')]]
}

function breakerSummary(breakers: readonly BreakerView[]): Line[] {
  const open = breakers.filter(({ state }) => state !== 'closed')
  if (open.length === 0) return [[styled('green', 'none open')]]
  return [
    ...open
      .slice(0, 5)
      .map(
        ({ state, scope, key, cause }): Line => [
          styled('red', state),
          ` ${scope} ${key}: ${cause}`,
        ],
      ),
    [typed('jackstay breakers')],
  ]
}

function approvalLines({ count, oldestAt }: WaitingObjects, now: number): Line[] {
  if (count === 0) return [['none wait']]
  const since = oldestAt === undefined ? '' : `, the oldest for ${age(oldestAt, now)}`
  return [
    [styled('yellow', `${count} wait${count === 1 ? 's' : ''}`), typed(`${since}: jackstay inbox`)],
  ]
}

function heldLines({ held }: WaitingObjects): Line[] {
  if (held === 0) return [[styled('green', 'none held')]]
  return [[styled('red', `${held} held`), typed(': jackstay inbox')]]
}

function ledgerLines(
  { size, newestLeafAt, tail, anchored, witnessed }: LedgerStatus,
  now: number,
): Line[] {
  const newest = newestLeafAt === undefined ? '' : `, checkpoint ${inTime(newestLeafAt, now)}`
  const witnesses =
    witnessed === undefined
      ? 'no witnesses are named'
      : `${witnessed.cosigned.length} witness(es), ${witnessed.ok ? 'quorum' : 'no quorum'}`
  return [
    [`${size} leaves${newest}`],
    tail.ok
      ? [styled('green', 'intact'), ' at its end']
      : [styled('red', 'damaged'), `: ${tail.reason}`],
    [
      styled(anchored.ok ? 'green' : 'yellow', anchored.ok ? 'Anchored' : 'Unanchored'),
      `: ${anchored.reason}`,
    ],
    [witnesses],
  ]
}

function windowSummary(windows: readonly WindowNow[], now: number): Line[] {
  const inForce = windows.filter(({ open, problem }) => open || problem !== undefined)
  if (inForce.length === 0) {
    return [[windows.length === 0 ? 'none defined' : `none of ${windows.length} open`]]
  }
  return inForce.map(
    ({ name, effect, changesAt, problem }): Line => [
      styled(effect === 'allow' && problem === undefined ? 'green' : 'yellow', effect),
      ` ${name}`,
      problem === undefined ? '' : `: ${problem}`,
      changesAt === undefined ? '' : `, closes ${inTime(changesAt, now)}`,
    ],
  )
}
