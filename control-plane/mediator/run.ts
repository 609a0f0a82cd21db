import { randomUUID } from 'node:crypto'
import type { CatalogueEntry } from '@jackstay/actions/action'
import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import type { Thresholds } from '@jackstay/judge/breaker-thresholds'
import { type JudgeThread, judgeThread } from '@jackstay/judge/thread'
import type { KubeClient } from '@jackstay/kube/client'
import type { Store } from '@jackstay/ledger/store'
import { callerKey, callers } from '@jackstay/service/caller'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import { serve } from '@jackstay/service/server'
import type { StaticToken } from '@jackstay/service/static-token'
import type { Traces } from '@jackstay/service/traces'
import { v7 as uuid7 } from 'uuid'
import { z } from 'zod'
import { type AppParts, mediatorApp } from './app.ts'
import type { Breakers } from './breakers/breakers.ts'
import { wireBreakers } from './breakers/wire.ts'
import { oneOperatorWarning } from './clearance/one-operator.ts'
import {
  allCaches,
  type CachedCluster,
  type Caches,
  clusterView,
  openCaches,
} from './cluster/cluster-caches.ts'
import { projection } from './cluster/projection.ts'
import { type RulesInForce, rulesInForce } from './cluster/rules-in-force.ts'
import { statusesOnChange } from './cluster/statuses.ts'
import { targetKinds } from './cluster/target-caches.ts'
import { kubeTargets } from './cluster/targets.ts'
import { type Driver, type DriverOptions, startDriver } from './driving/driver.ts'
import { sweep } from './driving/sweep.ts'
import type { Aggregation } from './flood/aggregation.ts'
import { floodgate } from './flood/floodgate.ts'
import { flushing, startAggregation } from './flood/start.ts'
import { allowances } from './limits/allowances.ts'
import { recall, type SpendingLog, spendingLog } from './limits/spending.ts'
import { type SteadyClock, steadyClock } from './limits/steady-clock.ts'
import { readRecord } from './memory/histories.ts'
import { type Journal, journal } from './memory/journal.ts'
import type { Outside } from './memory/outside.ts'
import { type PagerTarget, startPager } from './pager/start.ts'
import { manualTriggers } from './people/manual-triggers.ts'
import { recent } from './people/recent.ts'
import { sightings } from './people/sightings.ts'
import { summaries } from './people/summaries.ts'
import type { Allowances, Clock } from './ports.ts'
import { type Changes, changes as newChanges } from './reading/changes.ts'
import { waiting } from './reading/waiting.ts'
import { intentSpans } from './telemetry/intent-spans.ts'
import { type TriggerDesk, triggerDesk } from './triggers/trigger-desk.ts'

export interface MediatorOptions {
  readonly client: KubeClient
  readonly clusterUid: string
  readonly store: Store
  readonly vkey: string
  readonly outside: Outside
  /** Intents signed before are refused: the log before this one may have known them. */
  readonly intentsFrom: number
  readonly alertToken: StaticToken
  readonly pagerTo: PagerTarget | undefined
  readonly breakerThresholds: Thresholds
  readonly redact: (text: string) => string
  readonly log: Log
  readonly metrics: Metrics
  readonly traces: Traces
  readonly clock: Clock
  readonly catalogue: readonly CatalogueEntry[]
  readonly catalogueVersion: string
  readonly host: string
  readonly port: number
  readonly shownHours: number
  /** Without contact to the API server for so long, nothing is decided on what was known. */
  readonly staleSeconds: number
  /** One person is on call: see one-operator.ts for what that gives up. */
  readonly oneOperator: boolean
  readonly signal: AbortSignal
}

const sweepMs = 5_000
const drainMs = 10_000
/** A Pod that lives and asks for nothing for so long does not work on its alerts: others get them. */
const forgottenMs = 30 * 60_000

/** Wires the line to its cluster, store and callers, and runs it until the signal aborts. */
export async function runMediator(options: MediatorOptions): Promise<void> {
  const { client, store, log, metrics, clock, signal } = options
  const caches = openCaches(client, targetKinds(options.catalogue), {
    onError: (err, where) => log.warn({ err, where }, 'cache fault'),
    staleAfterMs: options.staleSeconds * 1000,
  })
  const cluster = clusterView(caches, options.oneOperator)
  const changes = newChanges()
  const conditions = statusesOnChange({ ...options, caches, cluster, rules: () => rules })
  const seen = sightings(() => clock.now())
  const desk = triggerDesk(
    store,
    clock,
    changes,
    uuid7,
    () => driver.recheck(),
    (uid) => cluster.podLives(uid) && !seen.silentFor(uid, forgottenMs),
  )
  const judge = startJudge(log, metrics)
  const rules = rulesInForce(caches.policies, judge, {
    onLoaded: () => conditions.soon(),
    onError: (err) => log.error({ err }, 'rules not loaded: everything is denied until they are'),
  })
  const steady = steadyClock({
    wall: clock,
    monotonic: () => performance.now(),
    onJump: (byMs) => log.warn({ byMs }, 'the clock jumped: limits go by time that passed'),
  })
  const spending = spendingLog(steady)
  const limits = allowances(clock)
  const remember = (record: IntentRecord) => {
    spending.note(record)
    limits.note(record)
  }
  await recall({ note: remember }, store, (id) => readRecord(store, id), clock.now())
  const newest = recent(randomUUID(), changes, () => clock.now())
  const note = (record: IntentRecord) => {
    spending.note(record)
    newest.note(record)
  }
  const told = journal()
  const breakers = await wireBreakers({
    ...{ client, store, caches, metrics, log, clock: steady, wall: clock, newId: uuid7 },
    thresholds: options.breakerThresholds,
    onChange: () => conditions.soon(),
  })
  const refusals = await startAggregation(options)
  const kept = { caches, cluster, rules, changes, desk, spending, limits, steady }
  const parts = { ...kept, note, breakers, refusals, journal: told }
  announceMode(options)
  const holder = randomUUID()
  const driverOptions = driverParts(options, parts, holder)
  const driver = startDriver(driverOptions)
  conditions.use(breakers)
  const server = await serve({
    name: 'jackstay-mediator',
    app: mediatorApp({
      ...appParts(options, { cluster, changes, desk, driver, breakers, journal: told }, holder),
      ...peopleParts(options, { caches, cluster, rules, changes, driver }),
      recent: newest,
      sightings: seen,
    }),
    host: options.host,
    port: options.port,
    metrics,
    log,
    ready: () => notReady(cluster, rules),
    drainMs,
    signal,
  })
  const recovered = await driver.recover()
  log.info({ url: server.url, recovered, ledger: store.origin }, 'mediator started')
  const sweeping = sweep(driverOptions, options.shownHours * 3600_000, sweepMs, signal)
  const aggregating = flushing(refusals, log, signal)
  const witnessing = options.outside.run()
  const paging = startPager({ ...options, cluster, breakers })
  await server.closed
  await driver.drain(AbortSignal.timeout(drainMs)).catch((err: unknown) => {
    log.warn({ err }, 'intents were still under way; they go on after the next start')
  })
  conditions.stop()
  await Promise.all([sweeping, aggregating, witnessing, paging])
  rules.stop()
  await judge.close()
  for (const [, cache] of allCaches(caches)) cache.stop()
  await breakers.flush()
  await options.traces.close()
  await store.close()
  await client.close()
  log.info('mediator stopped')
}

/** Said where people look who did not start the program. */
function announceMode({ oneOperator, log, metrics }: MediatorOptions): void {
  metrics.gaugeOf(
    'jackstay_one_operator',
    '1 while every requirement counts one approval and one person may serve them all',
    () => (oneOperator ? 1 : 0),
  )
  if (oneOperator) log.warn({ oneOperator }, oneOperatorWarning)
}

/** What keeps what the cluster says. */
interface Kept {
  readonly caches: Caches
  readonly cluster: CachedCluster
  readonly rules: RulesInForce
}

function startJudge(log: Log, metrics: Metrics): JudgeThread {
  const replaced = metrics.counter(
    'jackstay_judge_replaced_total',
    'times the thread that judges had to be replaced, and denied the question it was at',
    [],
  )
  return judgeThread({
    onReplaced: (why) => {
      replaced.inc()
      log.error({ why }, 'the judge was replaced')
    },
  })
}

function driverParts(
  options: MediatorOptions,
  running: Kept & {
    readonly changes: Changes
    readonly desk: TriggerDesk
    readonly spending: SpendingLog
    readonly limits: Allowances
    readonly steady: SteadyClock
    readonly note: DriverOptions['note']
    readonly breakers: Breakers
    readonly refusals: Aggregation
    readonly journal: Journal
  },
  holder: string,
): DriverOptions {
  const { caches, cluster, rules, changes, desk, spending, limits, steady } = running
  const { note, breakers, refusals, journal } = running
  const counted = countEnds(options.metrics, options.log)
  const { client, store, log, clock, clusterUid, catalogue, catalogueVersion } = options
  return {
    ...{ store, caches, changes, log, refusals, journal, holder },
    projection: projection(client),
    onEnd: (record) => {
      counted(record)
      breakers.ended(record)
      options.traces.emit(intentSpans(record))
    },
    note,
    ports: {
      ...{ clock, clusterUid, catalogue, catalogueVersion, cluster, rules },
      targets: kubeTargets(client),
      allowances: limits,
      spending,
      breakers,
      steady,
      oneOperator: options.oneOperator,
      triggers: desk,
    },
  }
}

function notReady(cluster: CachedCluster, rules: RulesInForce): readonly string[] {
  return [
    ...cluster.unsynced().map((name) => `cache \`${name}\` is not in step`),
    ...(rules.loaded() ? [] : ['the rules are not loaded']),
  ]
}

/** What people read about the line as a whole. */
function peopleParts(
  { store, clock, clusterUid, catalogueVersion }: MediatorOptions,
  running: Kept & { readonly changes: Changes; readonly driver: Driver },
): Pick<AppParts, 'manual' | 'watched' | 'self'> {
  const { caches, cluster, rules, changes, driver } = running
  const startedAt = new Date(clock.now()).toISOString()
  return {
    manual: manualTriggers(store, clock, changes, uuid7, () => driver.recheck()),
    watched: {
      caches: () => allCaches(caches).map(([name, cache]) => ({ name, synced: cache.synced() })),
      keys: () => caches.keys.values(),
    },
    self: () => ({
      ...{ clusterUid, catalogueVersion, startedAt, notReady: [...notReady(cluster, rules)] },
      rules: {
        loaded: rules.loaded(),
        problems: rules
          .problems()
          .map(({ policy, rule, message }) => `${policy}/${rule}: ${message}`),
      },
    }),
  }
}

function appParts(
  options: MediatorOptions,
  running: Pick<AppParts, 'cluster' | 'changes' | 'desk' | 'driver' | 'breakers' | 'journal'>,
  holder: string,
): Omit<AppParts, 'recent' | 'sightings' | 'manual' | 'watched' | 'self'> {
  const { client, store, log, metrics, clock, clusterUid, catalogueVersion, redact } = options
  const { intentsFrom } = options
  const monotonic = () => performance.now()
  const refused = metrics.counter(
    'jackstay_intents_refused_outright_total',
    'submissions refused before an intent existed',
    ['code'],
  )
  const gate = floodgate(monotonic)
  const known = callers({ reviewer: client, clock: monotonic })
  const { cluster, desk: triggers, breakers, journal } = running
  return {
    ...running,
    summaries: summaries(store),
    shell: {
      ...{ name: 'jackstay-mediator', log, metrics, redact },
      recognise: (token) => {
        const caller = known.recall(token)
        return caller && callerKey(caller)
      },
    },
    floodgate: gate,
    store,
    callers: known,
    intake: {
      ...{ store, cluster, clock, clusterUid, triggers, redact, intentsFrom },
      ...{ journal, holder, floodgate: gate },
      onOutright: (sender, cause) => breakers.outright(sender, cause),
    },
    alertToken: options.alertToken,
    vkey: options.vkey,
    outside: options.outside,
    waiting: waiting(),
    onRefused: (code) => refused.inc({ code }),
    clusterInfo: {
      oneOperator: options.oneOperator,
      clusterUid,
      catalogueVersion,
      actions: options.catalogue.map(({ name, description, params }) => ({
        name,
        description,
        params: z.toJSONSchema(params),
      })),
    },
  }
}

function countEnds(metrics: Metrics, log: Log): DriverOptions['onEnd'] {
  const ended = metrics.counter('jackstay_intents_ended_total', 'intents by how they ended', [
    'phase',
    'reason',
  ])
  return (record) => {
    if (!hasEnded(record) || record.ended === undefined) return
    const { phase, reason, message } = record.ended
    ended.inc({ phase, reason })
    log.info({ intentId: record.id, phase, reason, detail: message }, 'intent ended')
  }
}
