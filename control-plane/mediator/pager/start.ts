import type { BreakerView } from '@jackstay/contract/api'
import type { SuspensionSpec } from '@jackstay/contract/kinds/suspension'
import { describeObject } from '@jackstay/contract/plan'
import type { Store } from '@jackstay/ledger/store'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import { tokenIn } from '@jackstay/service/static-token'
import type { Breakers } from '../breakers/breakers.ts'
import type { Hindrance } from '../memory/hindrance.ts'
import type { Outside } from '../memory/outside.ts'
import type { Clock, ClusterView } from '../ports.ts'
import type { Concern } from './concerns.ts'
import { gatherConcerns } from './gather.ts'
import { pager } from './pager.ts'

/** The Alertmanager that people are paged by. */
export interface PagerTarget {
  readonly url: URL
  readonly tokenFile: string | undefined
}

export interface StartOptions {
  readonly pagerTo: PagerTarget | undefined
  readonly store: Store
  readonly outside: Outside
  readonly hindrance: Pick<Hindrance, 'now'>
  readonly cluster: ClusterView
  readonly breakers: Pick<Breakers, 'views'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly signal: AbortSignal
}

/** Pages people until the signal aborts, where somebody said by what. */
export async function startPager(options: StartOptions): Promise<void> {
  const { pagerTo, store, outside, cluster, clock, breakers } = options
  if (pagerTo === undefined) return
  const { url, tokenFile } = pagerTo
  const others = () => [
    ...overdue(cluster.suspensions(), clock.now()),
    ...open(breakers.views()),
    ...hindering(options.hindrance.now()),
  ]
  await pager({
    ...options,
    url,
    token: tokenFile === undefined ? undefined : tokenIn(tokenFile),
    concerns: gatherConcerns({ store, ledger: () => outside.status(), others, clock }),
    fetch,
  }).run()
}

function open(views: readonly BreakerView[]): readonly Concern[] {
  return views
    .filter(({ state }) => state !== 'closed')
    .map(({ scope, key, cause, retryAt }) => ({ kind: 'breaker', scope, key, cause, retryAt }))
}

function hindering(why: string | undefined): readonly Concern[] {
  return why === undefined ? [] : [{ kind: 'ledger', problem: 'hindered', detail: why }]
}

/** Suspensions that were meant to have ended: no program may lift them. */
export function overdue(suspensions: readonly SuspensionSpec[], now: number): readonly Concern[] {
  return suspensions.flatMap((suspension): readonly Concern[] => {
    const { until } = suspension
    if (until === undefined || Date.parse(until) > now) return []
    const [what, flag] = subjectOf(suspension)
    return [{ kind: 'suspension', what, until, command: `jackstay resume ${flag}` }]
  })
}

function subjectOf({ class: name, agent, action, target }: SuspensionSpec): [string, string] {
  if (name !== undefined) return [`the class ${name}`, `--class ${name}`]
  if (agent !== undefined) return [`the agent ${agent}`, `--agent ${agent}`]
  if (action !== undefined) return [`the action ${action}`, `--action ${action}`]
  const shown = target === undefined ? 'nothing' : describeObject(target)
  return [`the target ${shown}`, `--target '${shown}'`]
}
