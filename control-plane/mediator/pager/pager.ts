import { setTimeout as sleep } from 'node:timers/promises'
import { canonical } from '@jackstay/contract/json'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import { rfc3339 } from '../line/step.ts'
import type { Clock } from '../ports.ts'
import { type Concern, type Page, pageOf } from './concerns.ts'

export interface PagerOptions {
  /** Of Alertmanager, without `/api/v2`. */
  readonly url: URL
  /** Read again before each post; undefined where it asks for no credentials. */
  readonly token: (() => Promise<string>) | undefined
  /** Everything that needs a person now. */
  readonly concerns: () => Promise<readonly Concern[]>
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly signal: AbortSignal
}

export interface Pager {
  /** Tells Alertmanager what stands now, and what is over. Never throws. */
  round(): Promise<void>
  /** Rounds until the signal aborts. */
  run(): Promise<void>
}

const everyMs = 10_000
/** Without word from us an alert ends by itself: a dead mediator is another alert's business. */
const lastsMs = 6 * everyMs
const timeoutMs = 10_000
/** Of one kind; what is beyond them is one alert that says how many. */
const maxEach = 100

/**
 * Posts what waits for people to the pager they have, as alerts that carry the command to run. They
 * are marked, and never taken for triggers should they come back.
 */
export function pager(options: PagerOptions): Pager {
  const { clock, log, metrics, signal } = options
  const failures = metrics.counter(
    'jackstay_pager_failures_total',
    'rounds in which Alertmanager was not told',
    [],
  )
  const standing = metrics.gauge('jackstay_pager_alerts', 'alerts that stand, by kind', ['kind'])
  /** What Alertmanager believes to be firing. */
  let fired = new Map<string, { readonly page: Page; readonly startsAt: string }>()
  let failing = false

  const tell = async () => {
    const concerns = bounded(await options.concerns())
    count(concerns, standing)
    const now = rfc3339(clock.now())
    const next = new Map(
      concerns.map((concern) => {
        const page = pageOf(concern)
        const key = canonical(page.labels)
        return [key, { page, startsAt: fired.get(key)?.startsAt ?? now }]
      }),
    )
    const over = [...fired].filter(([key]) => !next.has(key)).map(([, alert]) => alert)
    const ends = rfc3339(clock.now() + lastsMs)
    const body = [
      ...[...next.values()].map(({ page, startsAt }) => ({ ...page, startsAt, endsAt: ends })),
      ...over.map(({ page, startsAt }) => ({ ...page, startsAt, endsAt: now })),
    ]
    if (body.length > 0) await post(body, options)
    fired = next
  }
  const round = async () => {
    try {
      await tell()
      if (failing) log.info('Alertmanager is told again')
      failing = false
    } catch (err) {
      if (signal.aborted) return
      failures.inc()
      if (!failing) log.warn({ err }, 'Alertmanager could not be told; trying on')
      failing = true
    }
  }
  return {
    round,
    async run() {
      while (!signal.aborted) {
        await round()
        await sleep(everyMs, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}

async function post(
  alerts: readonly object[],
  { url, token, fetch, signal }: PagerOptions,
): Promise<void> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${await token()}` }
  const base = url.href.replace(/\/$/, '')
  const response = await fetch(`${base}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(alerts),
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`Alertmanager answered ${response.status}`)
}

function bounded(concerns: readonly Concern[]): readonly Concern[] {
  const byKind = Map.groupBy(concerns, ({ kind }) => kind)
  return [...byKind].flatMap(([kind, of]): readonly Concern[] =>
    of.length <= maxEach
      ? of
      : [...of.slice(0, maxEach), { kind: 'more', of: `${kind}s`, count: of.length - maxEach }],
  )
}

function count(
  concerns: readonly Concern[],
  gauge: { set(value: number, labels: { kind: string }): void },
): void {
  const kinds = ['approval', 'undo', 'breaker', 'suspension', 'ledger'] as const
  for (const kind of kinds) {
    gauge.set(concerns.filter((concern) => concern.kind === kind).length, { kind })
  }
}
