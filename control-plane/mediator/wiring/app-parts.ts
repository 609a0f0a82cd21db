import { callers } from '@jackstay/service/caller'
import { v7 as uuid7 } from 'uuid'
import { z } from 'zod'
import type { AppParts } from '../app.ts'
import { allCaches } from '../cluster/cluster-caches.ts'
import type { Driver } from '../driving/driver.ts'
import { floodgate } from '../flood/floodgate.ts'
import { lateAnswers } from '../flood/late-answers.ts'
import { manualTriggers } from '../people/manual-triggers.ts'
import { summaries } from '../people/summaries.ts'
import { waiting } from '../reading/waiting.ts'
import type { MediatorOptions } from './options.ts'
import type { Parts } from './parts.ts'
import { recogniser } from './recognise.ts'

/** The parts as the HTTP API needs them. */
export function appParts(options: MediatorOptions, parts: Parts, driver: Driver): AppParts {
  const { client, store, log, metrics, redact } = options
  const { cluster, changes, desk, breakers, journal, recent, sightings } = parts
  const monotonic = () => performance.now()
  const refused = metrics.counter(
    'jackstay_intents_refused_outright_total',
    'submissions refused before an intent existed',
    ['code'],
  )
  const known = callers({ reviewer: client, clock: monotonic })
  const gate = floodgate(monotonic)
  return {
    ...{ cluster, changes, desk, driver, breakers, journal, recent, sightings, store },
    ...peopleParts(options, parts, driver),
    summaries: summaries(store),
    shell: {
      ...{ name: 'jackstay-mediator', log, metrics, redact },
      recognise: recogniser(options.alertToken, known),
    },
    floodgate: gate,
    lateAnswers: lateAnswers(),
    callers: known,
    intake: { ...intakeParts(options, parts), floodgate: gate },
    alertToken: options.alertToken,
    vkey: options.vkey,
    outside: options.outside,
    waiting: waiting(),
    onRefused: (code) => refused.inc({ code }),
    clusterInfo: clusterInfo(options),
  }
}

/** What is missing before anything can be decided. */
export function notReady({
  cluster,
  rules,
  hindrance,
}: Pick<Parts, 'cluster' | 'rules' | 'hindrance'>): readonly string[] {
  const hindered = hindrance.now()
  return [
    ...cluster.unsynced(),
    ...(rules.loaded() ? [] : ['the rules are not loaded']),
    ...(hindered === undefined ? [] : [hindered]),
  ]
}

function intakeParts(
  { store, clock, clusterUid, redact, intentsFrom }: MediatorOptions,
  { cluster, desk, breakers, journal }: Parts,
): Omit<AppParts['intake'], 'floodgate'> {
  return {
    ...{ store, cluster, clock, clusterUid, triggers: desk, redact, intentsFrom },
    journal,
    onOutright: (sender, cause) => breakers.outright(sender, cause),
  }
}

function clusterInfo(options: MediatorOptions): AppParts['clusterInfo'] {
  const { oneOperator, clusterUid, catalogueVersion, catalogue } = options
  return {
    ...{ oneOperator, clusterUid, catalogueVersion },
    actions: catalogue.map(({ name, description, params }) => ({
      ...{ name, description, params: z.toJSONSchema(params) },
    })),
  }
}

/** What people read about the line as a whole. */
function peopleParts(
  { store, clock, clusterUid, catalogueVersion }: MediatorOptions,
  parts: Parts,
  driver: Driver,
): Pick<AppParts, 'manual' | 'watched' | 'self'> {
  const { caches, rules, changes } = parts
  const startedAt = new Date(clock.now()).toISOString()
  return {
    manual: manualTriggers(store, clock, changes, uuid7, () => driver.recheck()),
    watched: {
      caches: () => allCaches(caches).map(([name, cache]) => ({ name, synced: cache.synced() })),
      keys: () => caches.keys.values(),
    },
    self: () => ({
      ...{ clusterUid, catalogueVersion, startedAt, notReady: [...notReady(parts)] },
      rules: {
        loaded: rules.loaded(),
        problems: rules
          .problems()
          .map(({ policy, rule, message }) => `${policy}/${rule}: ${message}`),
      },
    }),
  }
}
