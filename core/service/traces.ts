import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** One thing that took time, told after it is over. */
export interface Span {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  /** Why it did not come to what it was for; absent where it did. */
  readonly failed?: string
}

export interface Traces {
  /** Never waits and never throws: what cannot be kept for sending is counted and lost. Asks only where traces are on. */
  emit(spans: () => readonly Span[]): void
  /** Sends what is left, for as long as one post may take. */
  close(): Promise<void>
}

export interface TracesOptions {
  /** Where OTLP over HTTP is taken, with its path: `http://collector:4318/v1/traces`. */
  readonly url: URL
  readonly program: string
  /** Read again before each post; undefined where no credentials are asked for. */
  readonly token: (() => Promise<string>) | undefined
  readonly metrics: Metrics
  readonly log: Pick<Log, 'info' | 'warn'>
  /** How often what gathered is sent (default 2000). */
  readonly everyMs?: number
  /** How many spans wait at most; further ones are lost (default 4096). */
  readonly maxWaiting?: number
}

/** Nobody asked for traces. */
export const noTraces: Traces = { emit: () => undefined, close: async () => undefined }

/**
 * Sends spans to an OpenTelemetry collector, by OTLP as JSON over HTTP. Telemetry is a copy and may be
 * lost; each span is counted once as sent, failed or dropped.
 */
export async function otlpTraces(options: TracesOptions): Promise<Traces> {
  const { everyMs = 2000, maxWaiting = 4096 } = options
  const toll = spanToll(options, maxWaiting)
  const readable = await spanWriter(options.program)
  // loaded on demand: most programs trace nothing
  const { BatchSpanProcessor } = await import('@opentelemetry/sdk-trace')
  const processor = new BatchSpanProcessor({
    exporter: await exporter(options, toll),
    scheduledDelayMillis: everyMs,
    maxQueueSize: maxWaiting,
    maxExportBatchSize: Math.min(512, maxWaiting),
  })
  return {
    emit(spans) {
      for (const span of toll.admit(spans())) processor.onEnd(readable(span))
    },
    close: () => processor.shutdown(),
  }
}

/** Counts what becomes of spans, and says when sending fails and when it works again. */
interface SpanToll {
  /** As many as may wait; the others are counted as lost. */
  admit(spans: readonly Span[]): readonly Span[]
  over(spans: number, why: Error | undefined): void
}

function spanToll({ metrics, log }: TracesOptions, maxWaiting: number): SpanToll {
  const counted = metrics.counter('jackstay_trace_spans_total', 'spans by what became of them', [
    'result',
  ])
  let waiting = 0
  let failing = false
  return {
    admit(spans) {
      const kept = spans.slice(0, Math.max(0, maxWaiting - waiting))
      waiting += kept.length
      if (kept.length < spans.length) {
        counted.inc({ result: 'dropped' }, spans.length - kept.length)
      }
      return kept
    },
    over(spans, why) {
      waiting -= spans
      counted.inc({ result: why === undefined ? 'sent' : 'failed' }, spans)
      if (why !== undefined && !failing) log.warn({ err: why }, 'traces could not be sent')
      if (why === undefined && failing) log.info('traces are sent again')
      failing = why !== undefined
    },
  }
}

async function exporter({ url, token }: TracesOptions, toll: SpanToll): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const otlp = new OTLPTraceExporter({
    url: url.href,
    ...(token && { headers: async () => ({ authorization: `Bearer ${await token()}` }) }),
    timeoutMillis: 10_000,
  })
  return {
    export: (spans, done) =>
      otlp.export(spans, (result) => {
        const why = result.code === 0 ? undefined : (result.error ?? new Error('refused'))
        toll.over(spans.length, why)
        done({ code: 0 })
      }),
    shutdown: () => otlp.shutdown(),
  }
}

/** Spans of this program as OpenTelemetry's own code passes them on. */
async function spanWriter(program: string): Promise<(span: Span) => ReadableSpan> {
  const [{ SpanKind, SpanStatusCode, TraceFlags }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/resources'),
  ])
  const resource = resourceFromAttributes({ 'service.name': program })
  const instrumentationScope = { name: 'jackstay' }
  return ({ name, attributes, failed, ...span }) => {
    const context = (spanId: string) => ({
      ...{ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED },
    })
    return {
      ...{ name, attributes: { ...attributes }, kind: SpanKind.INTERNAL, ended: true },
      spanContext: () => context(span.spanId),
      ...(span.parentSpanId && { parentSpanContext: context(span.parentSpanId) }),
      startTime: time(span.startMs),
      endTime: time(span.endMs),
      duration: time(span.endMs - span.startMs),
      status: failed
        ? { code: SpanStatusCode.ERROR, message: failed }
        : { code: SpanStatusCode.OK },
      ...{ links: [], events: [], resource, instrumentationScope },
      ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
    }
  }
}

/** Seconds and nanoseconds. */
function time(ms: number): [number, number] {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)]
}
