import { hasEnded } from '@jackstay/contract/record'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import { projection } from '../cluster/projection.ts'
import { kubeTargets } from '../cluster/targets.ts'
import type { DriverOptions } from '../driving/driver.ts'
import { intentSpans } from '../telemetry/intent-spans.ts'
import type { MediatorOptions } from './options.ts'
import type { Parts } from './parts.ts'

/** The parts as the driver and the stages under it need them. */
export function driverOptions(options: MediatorOptions, parts: Parts): DriverOptions {
  const { client, store, log, clock, clusterUid, catalogue, catalogueVersion } = options
  const { caches, cluster, rules, changes, desk, limits, recent } = parts
  const { breakers, refusals, journal, holder } = parts
  const { steady, spending, allowances } = limits
  const counted = countEnds(options.metrics, log)
  return {
    ...{ store, caches, changes, log, refusals, journal, holder },
    projection: projection(client),
    onEnd: (record) => {
      counted(record)
      breakers.ended(record)
      options.traces.emit(() => intentSpans(record))
    },
    onLost: (record) => {
      allowances.forget(record)
      breakers.abandon(record.id)
    },
    note: (record) => {
      spending.note(record)
      recent.note(record)
    },
    ports: {
      ...{ clock, clusterUid, catalogue, catalogueVersion, cluster, rules },
      ...{ allowances, spending, breakers, steady },
      targets: kubeTargets(client),
      oneOperator: options.oneOperator,
      triggers: desk,
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
    // a flood of refusals is counted and on record; it must not fill the log of the program as well
    const level = phase === 'refused' ? 'debug' : 'info'
    log[level]({ intentId: record.id, phase, reason, detail: message }, 'intent ended')
  }
}
