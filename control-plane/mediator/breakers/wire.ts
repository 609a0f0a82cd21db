import { readFile } from 'node:fs/promises'
import { JackstayError } from '@jackstay/contract/errors'
import {
  defaultThresholds,
  type Thresholds,
  thresholdsFile,
  thresholdsFrom,
} from '@jackstay/judge/breaker-thresholds'
import type { KubeClient } from '@jackstay/kube/client'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { Caches } from '../cluster/cluster-caches.ts'
import { readRecord } from '../memory/histories.ts'
import type { Clock } from '../ports.ts'
import type { Breakers } from './breakers.ts'
import { announceBreakers } from './events.ts'
import { readReset } from './reset.ts'
import { breakerReporter, startBreakers } from './start.ts'

export interface WireBreakers {
  readonly client: KubeClient
  readonly store: Store
  readonly caches: Caches
  readonly thresholds: Thresholds
  /** Without the wall clock's jumps. */
  readonly clock: Clock
  /** As people's watches show it: what they write into annotations. */
  readonly wall: Clock
  readonly newId: () => string
  readonly metrics: Metrics
  readonly log: Log
  /** The conditions of classes want to be written anew. */
  readonly onChange: () => void
}

/** The breakers with everything that hears of them: events, metrics, conditions, people's resets. */
export async function wireBreakers(options: WireBreakers): Promise<Breakers> {
  const { client, store, caches, thresholds, clock, wall, newId, metrics, log } = options
  const report = breakerReporter(metrics, log)
  const announce = announceBreakers(
    client,
    (name) => caches.classes.get(undefined, name)?.uid,
    () => wall.now(),
    (err) => log.warn({ err }, 'an event about a breaker was not written'),
  )
  const breakers = await startBreakers({
    ...{ store, thresholds, clock, newId },
    read: (id) => readRecord(store, id),
    onChange: (transition) => {
      report(transition)
      announce(transition)
      options.onChange()
    },
    onError: (err) => log.error({ err }, 'the state of breakers is not written yet'),
  })
  const applyReset = (name: string, annotation: string | undefined) => {
    const request = readReset(name, annotation, wall.now())
    if (request !== undefined) breakers.reset(request)
    else if (annotation !== undefined) {
      log.warn({ class: name, annotation }, 'a reset of breakers does not read, or lies ahead')
    }
  }
  for (const { name, resetBreakers } of caches.classes.values()) applyReset(name, resetBreakers)
  caches.classes.onChange(({ value }) => applyReset(value.name, value.resetBreakers))
  metrics.gaugeOf(
    'jackstay_breakers_open',
    'breakers that are open or half-open',
    () => breakers.views().filter(({ state }) => state !== 'closed').length,
  )
  return breakers
}

/** @throws JackstayError `invalid_config` for a file that cannot be read or names what there is not */
export async function readThresholds(path: string | undefined): Promise<Thresholds> {
  if (path === undefined) return defaultThresholds
  const wrong = (why: string, cause?: unknown) =>
    new JackstayError('invalid_config', `\`--breakers\`: \`${path}\` ${why}`, { cause })
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw wrong('cannot be read as JSON; check the path and its text', cause)
  }
  const parsed = thresholdsFile.safeParse(json)
  if (parsed.success) return thresholdsFrom(parsed.data)
  const [issue] = parsed.error.issues
  throw wrong(`has \`${issue?.path.join('.') || 'file'}\`: ${issue?.message ?? 'invalid'}`)
}
