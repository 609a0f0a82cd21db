import { clusterInfo, intentView, triggerList } from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import { actionName, uuid7 } from '@jackstay/contract/text'
import { readJson } from '@jackstay/service/body'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import { createApp, drainSignal, extendDeadline, requestSignal } from '@jackstay/service/server'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Enroller } from './enrolment.ts'
import { actionRequest, type Clock, type Ids, signIntent } from './intent.ts'
import type { SigningKey } from './key.ts'
import type { Sequence } from './sequence.ts'
import { type SubmitOptions, submit } from './submit.ts'
import type { Tokens, TokenUse } from './tokens.ts'
import { type Answer, strange, type Upstream } from './upstream.ts'

export interface SidecarParts {
  readonly key: SigningKey
  readonly sequence: Sequence
  readonly enroller: Enroller
  readonly tokens: Tokens
  readonly mediator: Upstream
  readonly tools: Upstream
  readonly clock: Clock
  readonly ids: Ids
  readonly sleep: SubmitOptions['sleep']
  readonly log: Log
  readonly metrics: Metrics
}

const upstreamMs = 10_000
/** An intent is sent again until its minute is over, and then asked for. */
const resendMs = 75_000
const toolBodyLimits = { bytes: 8 * 1024, depth: 4, nodes: 64 }

const waitQuery = z.strictObject({ wait: z.coerce.number().int().min(0).max(60).default(0) })
const toolVerb = z.enum(['get', 'list'])

/**
 * A web page of another site can make a browser beside the agent call us, or resolve its own name to
 * our address: an agent sends no Origin and names localhost.
 */
function assertLocal(c: Context): void {
  const { hostname } = new URL(c.req.url)
  const foreign = c.req.header('origin') ?? c.req.header('sec-fetch-site')
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || foreign !== undefined) {
    throw new JackstayError('forbidden', 'the sidecar answers its own agent on localhost only')
  }
}

/**
 * What an agent sees of Jackstay: plain HTTP on localhost, no credentials. The sidecar adds
 * identity, order, time and signature.
 */
export function sidecarApp(parts: SidecarParts) {
  const { mediator, tokens, log, metrics } = parts
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
  const get = async (c: Context, path: string, use: TokenUse, extraMs = 0): Promise<Answer> => {
    extendDeadline(c, extraMs + 2 * upstreamMs)
    const token = await tokens.read(use)
    const timeoutMs = extraMs + upstreamMs
    // a long poll must not hold up the end of the program
    const signal = AbortSignal.any([requestSignal(c), drainSignal(c)])
    return await mediator.call({ method: 'GET', path, token, timeoutMs, signal })
  }

  app.get('/v1/actions', async (c) => {
    const info = expected(clusterInfo, await get(c, '/v1/cluster', 'intent'))
    return c.json({ actions: info.actions, catalogueVersion: info.catalogueVersion })
  })

  app.get('/v1/triggers', async (c) => {
    const wait = waitOf(c)
    const answer = await get(c, `/v1/triggers?wait=${wait}`, 'intent', wait * 1000)
    return c.json(expected(triggerList, answer))
  })

  app.get('/v1/intents/:id', async (c) => {
    const id = valid(uuid7, c.req.param('id'), 'id')
    const wait = waitOf(c)
    const answer = await get(c, `/v1/intents/${id}?wait=${wait}`, 'intent', wait * 1000)
    return c.json(expected(intentView, answer))
  })

  app.post('/v1/actions/:name', (c) => signAndSubmit(c, parts))
  app.post('/v1/tools/kubernetes-read/:verb', (c) => readCluster(c, parts))
  return app
}

async function signAndSubmit(c: Context, parts: SidecarParts): Promise<Response> {
  const { clock, enroller, ids, key, log, mediator, sequence, sleep, tokens } = parts
  const name = valid(actionName, c.req.param('name'), 'action')
  const wait = waitOf(c)
  const request = await readJson(c, actionRequest)
  extendDeadline(c, wait * 1000 + resendMs)
  const signal = requestSignal(c)
  const enrolment = enroller.current()
  const token = await tokens.read('intent')
  const seq = await sequence.next()
  const intent = await signIntent(name, request, { enrolment, key, seq, token, clock, ids })
  const intentId = intent.id
  log.info({ intentId, seq, action: name, target: request.target }, 'intent signed')
  const onResend = (err: JackstayError) => log.warn({ intentId, err }, 'intent sent again')
  const options = { mediator, clock, sleep, settling: enroller.settling, onResend }
  const answer = await submit(intent, wait, options, signal)
  const view = expected(intentView, answer)
  log.info({ intentId, phase: view.summary.phase }, 'intent answered')
  return c.json(view, answer.status === 202 ? 202 : 200)
}

async function readCluster(c: Context, { tools, tokens }: SidecarParts): Promise<Response> {
  const verb = valid(toolVerb, c.req.param('verb'), 'verb')
  const body = await readJson(c, z.record(z.string(), z.json()), toolBodyLimits)
  extendDeadline(c, 2 * upstreamMs)
  const answer = await tools.call({
    method: 'POST',
    path: `/v1/tools/${verb}`,
    token: await tokens.read('tools'),
    body: JSON.stringify(body),
    timeoutMs: upstreamMs,
    signal: requestSignal(c),
  })
  return c.json(expected(z.record(z.string(), z.json()), answer, 'kubernetes-read tool'))
}

function waitOf(c: Context): number {
  const parsed = waitQuery.safeParse(c.req.query())
  if (parsed.success) return parsed.data.wait
  throw new JackstayError('invalid_request', 'the query may only hold `wait`, 0 to 60 seconds')
}

function valid<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const why = parsed.error.issues[0]?.message ?? 'wrong'
  throw new JackstayError('invalid_request', `the ${what} \`${String(value)}\` is wrong: ${why}`)
}

function expected<S extends z.ZodType>(
  schema: S,
  { body }: Answer,
  name = 'mediator',
): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw strange(name, 'unexpected body', parsed.error)
}
