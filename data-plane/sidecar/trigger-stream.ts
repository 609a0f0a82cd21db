import { JackstayError } from '@jackstay/contract/errors'
import { canonical } from '@jackstay/contract/json'
import { drainSignal, extendDeadline, requestSignal } from '@jackstay/service/server'
import type { Context } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { Inbox } from './triggers.ts'

const streamsAtOnce = 4
/** A stream ends by itself after this, and its reader goes on where it was. */
const streamMs = 150_000
const pollSeconds = 15
const retryMs = 2000

/**
 * `GET /v1/triggers/stream`: alerts as server-sent events `trigger`, their ids for `Last-Event-ID`.
 * A comment every quarter of a minute shows that it lives.
 */
export function triggerStream(
  inbox: Inbox,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
) {
  let open = 0
  return (c: Context): Response => {
    if (open >= streamsAtOnce) {
      const message = `${streamsAtOnce} streams are open already; close one`
      throw new JackstayError('rate_limited', message, { retryAfterSeconds: 5 })
    }
    const granted = extendDeadline(c, streamMs + (pollSeconds + 10) * 1000)
    const ends = AbortSignal.timeout(Math.min(streamMs, granted))
    open++
    return streamSSE(c, async (stream) => {
      const gone = new AbortController()
      stream.onAbort(() => gone.abort())
      const signal = AbortSignal.any([requestSignal(c), drainSignal(c), ends, gone.signal])
      try {
        await deliver(stream, inbox, c.req.header('last-event-id'), signal, sleep)
      } finally {
        open--
      }
    })
  }
}

async function deliver(
  stream: SSEStreamingApi,
  inbox: Inbox,
  from: string | undefined,
  signal: AbortSignal,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let last = from
  await stream.write(`retry: ${retryMs}\n\n`)
  while (!signal.aborted) {
    for (const { id, trigger } of inbox.after(last)) {
      await stream.writeSSE({ event: 'trigger', id, data: canonical(trigger) })
      last = id
    }
    try {
      await inbox.pull(pollSeconds, signal)
      await stream.write(': alive\n\n')
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof JackstayError)) throw error
      const { code, message } = error
      await stream.writeSSE({ event: 'delayed', data: canonical({ code, message }) })
      await sleep((error.retryAfterSeconds ?? 5) * 1000, signal)
    }
  }
}
