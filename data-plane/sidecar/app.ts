import { JackstayError } from '@jackstay/contract/errors'
import { actionName, uuid7 } from '@jackstay/contract/text'
import { readJson } from '@jackstay/service/body'
import type { Metrics } from '@jackstay/service/metrics'
import {
  createApp,
  drainSignal,
  extendDeadline,
  requestSignal,
  type ServiceEnv,
} from '@jackstay/service/server'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { actionRequest } from './intent.ts'
import { type Line, type LineParts, lineOf, upstreamMs } from './line.ts'
import { offerings } from './mcp/offer.ts'
import { mcpRoute } from './mcp/server.ts'
import { readVerbs } from './mcp/words.ts'
import { keptReceipts, type Receipts } from './receipts.ts'
import { triggerStream } from './trigger-stream.ts'
import { inboxOf } from './triggers.ts'

export interface SidecarParts extends LineParts {
  readonly metrics: Metrics
  /** Names this run in the ids of streams. */
  readonly run: string
}

const toolBodyLimits = { bytes: 8 * 1024, depth: 4, nodes: 64 }
const waitQuery = z.strictObject({ wait: z.coerce.number().int().min(0).max(60).default(0) })
const receiptsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(keptReceipts).default(20),
})
const toolVerb = z.enum(readVerbs)

/**
 * A web page of another site can make a browser beside the agent call us, or resolve its own name to
 * our address: an agent names localhost, and sends no Origin but our own.
 */
function assertLocal(c: Context): void {
  const { hostname, origin } = new URL(c.req.url)
  const foreign = (c.req.header('origin') ?? origin) !== origin || c.req.header('sec-fetch-site')
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || foreign) {
    throw new JackstayError('forbidden', 'the sidecar answers its own agent on localhost only')
  }
}

/**
 * What an agent sees of Jackstay: MCP and plain HTTP on localhost, no credentials. The sidecar adds
 * identity, order, time and signature.
 */
export function sidecarApp(parts: SidecarParts) {
  const { log, metrics, clock, receipts, sleep } = parts
  const line = lineOf(parts)
  const inbox = inboxOf(line, clock, parts.run)
  const app = createApp({
    name: 'jackstay-sidecar',
    log,
    metrics,
    limits: { bodyBytes: 64 * 1024, maxRequestMs: 180_000, inFlight: 64 },
  })
  app.use(async (c, next) => {
    assertLocal(c)
    await next()
  })
  const mcp = mcpRoute({ line, inbox, receipts, offerings: offerings(line, clock) }, log)
  app.on(['GET', 'POST', 'DELETE'], '/mcp', mcp)
  app.get('/v1/triggers', async (c) => {
    const { wait } = query(c, waitQuery)
    return c.json({ triggers: await inbox.pull(wait, pollSignal(c, wait)) })
  })
  app.get('/v1/triggers/stream', triggerStream(inbox, sleep))
  intentRoutes(app, line)
  receiptRoutes(app, receipts)
  app.post('/v1/tools/kubernetes-read/:verb', async (c) => {
    const verb = valid(toolVerb, c.req.param('verb'), 'verb')
    const question = await readJson(c, z.record(z.string(), z.json()), toolBodyLimits)
    extendDeadline(c, 2 * upstreamMs)
    return c.json(await line.read(verb, question, requestSignal(c)))
  })
  return app
}

function intentRoutes(app: Hono<ServiceEnv>, line: Line): void {
  app.get('/v1/actions', async (c) => {
    const { actions, catalogueVersion } = await line.cluster(pollSignal(c, 0))
    return c.json({ actions, catalogueVersion })
  })
  app.get('/v1/intents/:id', async (c) => {
    const id = valid(uuid7, c.req.param('id'), 'id')
    const { wait } = query(c, waitQuery)
    return c.json(await line.intent(id, wait, pollSignal(c, wait)))
  })
  app.post('/v1/actions/:name', async (c) => {
    const name = valid(actionName, c.req.param('name'), 'action')
    const { wait } = query(c, waitQuery)
    const request = await readJson(c, actionRequest)
    extendDeadline(c, wait * 1000 + 2 * upstreamMs)
    return c.json(await line.propose(name, request, wait, requestSignal(c)), 202)
  })
}

/** What this Pod submitted: for people and programs that look after it. */
function receiptRoutes(app: Hono<ServiceEnv>, receipts: Receipts): void {
  app.get('/v1/receipts', (c) => {
    const { limit } = query(c, receiptsQuery)
    return c.json({ receipts: receipts.list(limit) })
  })
  app.get('/v1/receipts/:id', (c) => {
    const found = receipts.get(valid(uuid7, c.req.param('id'), 'id'))
    if (found !== undefined) return c.json(found)
    throw new JackstayError('not_found', `no such receipt; the newest ${keptReceipts} are kept`)
  })
}

/** A long poll must not hold up the end of the program. */
function pollSignal(c: Context, wait: number): AbortSignal {
  extendDeadline(c, wait * 1000 + 2 * upstreamMs)
  return AbortSignal.any([requestSignal(c), drainSignal(c)])
}

function query<S extends z.ZodType>(c: Context, schema: S): z.output<S> {
  const parsed = schema.safeParse(c.req.query())
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = issue?.path.join('.') || 'query'
  throw new JackstayError('invalid_request', `\`${name}\`: ${issue?.message ?? 'wrong'}`)
}

function valid<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const why = parsed.error.issues[0]?.message ?? 'wrong'
  throw new JackstayError('invalid_request', `the ${what} \`${String(value)}\` is wrong: ${why}`)
}
