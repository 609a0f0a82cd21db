import { workQueue } from '@jackstay/kube/queue'
import type { Log } from '@jackstay/service/log'
import type { Breakers } from '../breakers/breakers.ts'
import { type ReportOptions, reportConditions } from './conditions.ts'
import type { RulesInForce } from './rules-in-force.ts'

/** A window far off is looked at again after this long all the same: clocks are set. */
const longestMs = 3600_000

interface StatusOptions extends Omit<ReportOptions, 'problems' | 'written' | 'openBreakers'> {
  readonly rules: () => RulesInForce
  readonly log: Log
}

export interface Statuses {
  /** Something they say may be different now. */
  soon(): void
  /** Nothing is said of classes before their breakers are known. */
  use(running: Breakers): void
  stop(): void
}

/** Keeps the conditions of classes, policies and windows in step with what the caches and the clock say. */
export function statusesOnChange(options: StatusOptions): Statuses {
  const { caches, cluster, rules, clock, log } = options
  const written = new Map<string, string>()
  let stopped = false
  let breakers: Breakers | undefined
  const openBreakers = (name: string) =>
    breakers?.views().filter((one) => one.class === name && one.state !== 'closed') ?? []
  const queue = workQueue({
    handle: async () => {
      if (!cluster.synced()) throw new Error('caches are not in step yet')
      if (breakers === undefined || !rules().loaded()) throw new Error('not loaded yet')
      const problems = rules().problems()
      const next = await reportConditions({ ...options, problems, written, openBreakers })
      if (next !== undefined) later(Math.min(longestMs, Math.max(0, next - clock.now()) + 1))
    },
    backoff: { minMs: 100, maxMs: 5_000 },
    onError: (err, _key, attempt) => attempt > 5 && log.warn({ err }, 'statuses not written yet'),
  })
  const later = (ms: number) => {
    if (!stopped) queue.addAfter('statuses', ms)
  }
  const soon = () => later(50)
  caches.classes.onChange(soon)
  caches.policies.onChange(soon)
  caches.windows.onChange(soon)
  caches.approvals.onChange(soon)
  for (const name of ['bindings', 'clusterBindings', 'roles', 'clusterRoles'] as const) {
    caches[name].onChange(soon)
  }
  return {
    soon,
    use(running) {
      breakers = running
      soon()
    },
    stop() {
      stopped = true
      queue.stop()
    },
  }
}
