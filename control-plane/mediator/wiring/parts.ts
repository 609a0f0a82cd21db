import { randomUUID } from 'node:crypto'
import { v7 as uuid7 } from 'uuid'
import type { Breakers } from '../breakers/breakers.ts'
import { wireBreakers } from '../breakers/wire.ts'
import { startWatching, type Watching } from '../cluster/start.ts'
import type { Aggregation } from '../flood/aggregation.ts'
import { startAggregation } from '../flood/start.ts'
import { type Limits, startLimits } from '../limits/start.ts'
import { type Hindrance, watchHindrance } from '../memory/hindrance.ts'
import { type Journal, journal } from '../memory/journal.ts'
import { type Recent, recent } from '../people/recent.ts'
import { type Sightings, sightings } from '../people/sightings.ts'
import { type Changes, changes as newChanges } from '../reading/changes.ts'
import { type TriggerDesk, triggerDesk } from '../triggers/trigger-desk.ts'
import type { MediatorOptions } from './options.ts'

/** A Pod that lives and asks for nothing for so long does not work on its alerts: others get them. */
const forgottenMs = 30 * 60_000

/** What one mediator consists of, but for who drives it and who asks it. */
export interface Parts extends Watching {
  readonly changes: Changes
  readonly sightings: Sightings
  readonly desk: TriggerDesk
  readonly limits: Limits
  readonly recent: Recent
  readonly journal: Journal
  readonly hindrance: Hindrance
  readonly breakers: Breakers
  readonly refusals: Aggregation
  /** Who claims intents here. */
  readonly holder: string
}

/** `recheck`: alerts resolved, so that intents which wait look again. */
export async function openParts(options: MediatorOptions, recheck: () => void): Promise<Parts> {
  const { client, store, log, metrics, clock } = options
  const watching = startWatching(options)
  const { caches, cluster, statuses } = watching
  const changes = newChanges()
  const seen = sightings(() => clock.now())
  const desk = triggerDesk({
    ...{ store, clock, changes, newId: uuid7, onResolved: recheck },
    isLive: (uid) => cluster.podLives(uid) && !seen.silentFor(uid, forgottenMs),
    isOffered: ({ spec }) => cluster.moreThanReads(spec.namespace) === undefined,
  })
  const limits = await startLimits(options)
  const breakers = await wireBreakers({
    ...{ client, store, caches, metrics, log, clock: limits.steady, wall: clock, newId: uuid7 },
    thresholds: options.breakerThresholds,
    onChange: () => statuses.soon(),
  })
  return {
    ...{ ...watching, changes, desk, limits, breakers },
    sightings: seen,
    recent: recent(randomUUID(), changes, () => clock.now()),
    journal: journal(),
    hindrance: watchHindrance(options),
    refusals: await startAggregation(options),
    holder: randomUUID(),
  }
}
