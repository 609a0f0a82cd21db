import type { CatalogueEntry } from '@jackstay/actions/action'
import { type JudgeThread, judgeThread } from '@jackstay/judge/thread'
import type { KubeClient } from '@jackstay/kube/client'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { Clock } from '../ports.ts'
import {
  allCaches,
  type CachedCluster,
  type Caches,
  clusterView,
  openCaches,
} from './cluster-caches.ts'
import { type RulesInForce, rulesInForce } from './rules-in-force.ts'
import { type Statuses, statusesOnChange } from './statuses.ts'
import { targetKinds } from './target-caches.ts'

export interface StartWatching {
  readonly client: KubeClient
  readonly catalogue: readonly CatalogueEntry[]
  /** Without contact to the API server for so long, nothing is decided on what was known. */
  readonly staleSeconds: number
  readonly oneOperator: boolean
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** What keeps what the cluster says, and tells it of its objects. */
export interface Watching {
  readonly caches: Caches
  readonly cluster: CachedCluster
  readonly rules: RulesInForce
  readonly statuses: Statuses
  close(): Promise<void>
}

export function startWatching(options: StartWatching): Watching {
  const { client, log } = options
  const caches = openCaches(client, targetKinds(options.catalogue), {
    onError: (err, where) => log.warn({ err, where }, 'cache fault'),
    staleAfterMs: options.staleSeconds * 1000,
  })
  const cluster = clusterView(caches, options.oneOperator)
  const statuses = statusesOnChange({ ...options, caches, cluster, rules: () => rules })
  const judge = startJudge(log, options.metrics)
  const rules = rulesInForce(caches.policies, judge, {
    onLoaded: () => statuses.soon(),
    onError: (err) => log.error({ err }, 'rules not loaded: everything is denied until they are'),
  })
  const close = async () => {
    rules.stop()
    await judge.close()
    for (const [, cache] of allCaches(caches)) cache.stop()
  }
  return { caches, cluster, rules, statuses, close }
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
