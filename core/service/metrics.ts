import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>

export interface CounterHandle {
  inc(labels?: Labels, by?: number): void
}
export interface GaugeHandle {
  set(value: number, labels?: Labels): void
}
export interface HistogramHandle {
  observe(value: number, labels?: Labels): void
}

export interface RequestObservation {
  readonly method: string
  /** The pattern that matched, never the path. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): CounterHandle
  gauge(name: string, help: string, labels?: readonly string[]): GaugeHandle
  /** A gauge without labels that is read when somebody scrapes. */
  gaugeOf(name: string, help: string, read: () => number): void
  histogram(
    name: string,
    help: string,
    labels?: readonly string[],
    buckets?: readonly number[],
  ): HistogramHandle
  request(observation: RequestObservation): void
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>
}

export interface MetricsOptions {
  /** Becomes the label `program`. */
  readonly name: string
  /** Label combinations per metric; further ones are counted under `other`. */
  readonly maxSeries?: number
  /** Memory, CPU, event loop lag and garbage collection of the process (default true). */
  readonly process?: boolean
}

const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * Folds label combinations beyond a bound into `other`, so no caller can make the registry grow
 * (T76).
 */
function bounded(names: readonly string[], maxSeries: number): (labels: Labels) => Labels {
  const seen = new Set<string>()
  const other = Object.fromEntries(names.map((name) => [name, 'other']))
  return (labels) => {
    if (names.length === 0) return {}
    const series = Object.fromEntries(names.map((name) => [name, labels[name] ?? '']))
    const key = JSON.stringify(Object.values(series))
    if (seen.has(key)) return series
    if (seen.size >= maxSeries) return other
    seen.add(key)
    return series
  }
}

/** A registry of its own per program; nothing is registered globally. */
export function metrics({ name, maxSeries = 500, process = true }: MetricsOptions): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ program: name })
  if (process) collectDefaultMetrics({ register: registry })
  const registers = [registry]

  const histogram: Metrics['histogram'] = (metric, help, labels = [], buckets) => {
    const it = new Histogram({
      name: metric,
      help,
      labelNames: [...labels],
      registers,
      ...(buckets && { buckets: [...buckets] }),
    })
    const fold = bounded(labels, maxSeries)
    return { observe: (value, given = {}) => it.observe(fold(given), value) }
  }
  const requests = histogram(
    'http_request_duration_seconds',
    'time to answer a request, by matched route',
    ['method', 'route', 'status'],
    requestBuckets,
  )

  return {
    histogram,
    counter(metric, help, labels = []) {
      const it = new Counter({ name: metric, help, labelNames: [...labels], registers })
      const fold = bounded(labels, maxSeries)
      return { inc: (given = {}, by = 1) => it.inc(fold(given), by) }
    },
    gauge(metric, help, labels = []) {
      const it = new Gauge({ name: metric, help, labelNames: [...labels], registers })
      const fold = bounded(labels, maxSeries)
      return { set: (value, given = {}) => it.set(fold(given), value) }
    },
    gaugeOf(metric, help, read) {
      new Gauge({
        name: metric,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    },
    request({ method, route, status, seconds }) {
      requests.observe(seconds, {
        method: knownMethods.has(method) ? method : 'other',
        route,
        status: String(status),
      })
    },
    async expose() {
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
