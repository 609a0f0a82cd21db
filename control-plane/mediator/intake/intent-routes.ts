import { setTimeout as sleep } from 'node:timers/promises'
import { audiences } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { intentSubmission } from '@jackstay/contract/intent'
import { sha256 } from '@jackstay/contract/json'
import { hasEnded, type IntentRecord } from '@jackstay/contract/record'
import type { Store } from '@jackstay/ledger/store'
import { readCanonical } from '@jackstay/service/body'
import { bearerToken } from '@jackstay/service/caller'
import {
  cutOff,
  drainSignal,
  extendDeadline,
  requestSignal,
  type ServiceEnv,
} from '@jackstay/service/server'
import type { Turns } from '@jackstay/service/turns'
import type { Context, Hono } from 'hono'
import type { Driver } from '../driving/driver.ts'
import type { Floodgate } from '../flood/floodgate.ts'
import type { LateAnswers } from '../flood/late-answers.ts'
import type { Journal } from '../memory/journal.ts'
import type { Summaries } from '../people/summaries.ts'
import { identifyCaller } from '../reading/caller.ts'
import type { Changes } from '../reading/changes.ts'
import { identifyReader, query, type ReaderPorts } from '../reading/readers.ts'
import { listOf, listQuery, viewOf, waitQuery } from '../reading/views.ts'
import { type IntakePorts, takeIn } from './intake.ts'

/** The Intent object follows the decision by milliseconds: it is looked for this often. */
const shownMs = 25
/** Without news for so long, the store is asked: another program may write to it. */
const silentMs = 2000

export interface IntentRoutes extends ReaderPorts {
  readonly store: Store
  readonly summaries: Summaries
  readonly intake: Omit<IntakePorts, 'identify' | 'begin'>
  readonly driver: Driver
  readonly changes: Changes
  readonly journal: Journal
  readonly floodgate: Pick<Floodgate, 'early'>
  readonly lateAnswers: LateAnswers
  readonly waiting: Turns
  readonly onRefused: (code: string) => void
}

/** Intents: submitting one, following it, looking at many. */
export function intentRoutes(app: Hono<ServiceEnv>, parts: IntentRoutes): void {
  app.post('/v1/intents', (c) => submit(c, parts))
  app.get('/v1/intents', (c) => list(c, parts))
  app.get('/v1/intents/:id', (c) => show(c, c.req.param('id'), parts))
}

async function submit(c: Context, parts: IntentRoutes): Promise<Response> {
  const { wait } = query(c, waitQuery)
  const token = bearerToken(c)
  await assertCalm(c, token, parts)
  const submission = await readCanonical(c, intentSubmission)
  const identify = (held: string) => identifyCaller(c, parts.callers, held, audiences.intent)
  try {
    const { begin } = parts.driver
    const { id, begun } = await takeIn(submission, token, { ...parts.intake, identify, begin })
    try {
      if (begun !== undefined) await acknowledge(parts, begun)
      else await takeUp(parts, id)
      const over = begun !== undefined && hasEnded(begun)
      if (!over) await settled(c, parts, id, wait, undefined, sha256(token))
      return written(c, await viewOf(parts, id), begun === undefined ? 200 : 202)
    } finally {
      if (begun !== undefined) parts.journal.leave(id)
    }
  } catch (error) {
    if (error instanceof JackstayError) parts.onRefused(error.code)
    throw error
  }
}

/** @throws JackstayError `rate_limited`, late, for who floods, before anything of the request is read */
async function assertCalm(
  c: Context,
  token: string,
  { callers, floodgate, lateAnswers, onRefused }: IntentRoutes,
): Promise<void> {
  const caller = callers.recall(token)
  if (caller?.kind !== 'serviceaccount') return
  const agent = `${caller.namespace}/${caller.name}`
  try {
    floodgate.early(agent)
  } catch (error) {
    // who sends without waiting for answers gets none
    if (!(await lateAnswers.due(agent, requestSignal(c)))) cutOff(c)
    if (error instanceof JackstayError) onRefused(error.code)
    throw error
  }
}

/** Who answers an alert has received it. */
async function acknowledge(
  { intake }: IntentRoutes,
  { authenticated: { trigger, agent } }: IntentRecord,
): Promise<void> {
  if (trigger !== undefined) await intake.triggers.acknowledge([trigger.id], agent.podUid)
}

/** What is repeated may never have been driven: its first commit stands, but nobody was told. */
export async function takeUp(
  parts: Pick<IntentRoutes, 'journal' | 'store'> & { readonly driver: Pick<Driver, 'takeUp'> },
  id: string,
): Promise<void> {
  const row = await stateOf(id, parts)
  if (row?.terminal === false) parts.driver.takeUp(id)
}

async function list(c: Context, parts: IntentRoutes): Promise<Response> {
  const caller = await identifyReader(c, parts)
  const { before, phase, namespace, agent, limit } = query(c, listQuery)
  const whose = caller.kind === 'agent' ? caller.agent : agent
  const found = await listOf(parts.store, parts.summaries, {
    limit,
    ...(before !== undefined && { before }),
    ...(phase && { phase }),
    ...(namespace && { namespace }),
    ...(whose && { agent: whose }),
  })
  return c.json(found)
}

async function show(c: Context, id: string, parts: IntentRoutes): Promise<Response> {
  const caller = await identifyReader(c, parts)
  const row = await parts.store.intent(id)
  // an agent cannot tell another's intent from none at all (T76)
  if (row === undefined || (caller.kind === 'agent' && row.agent !== caller.agent)) {
    throw new JackstayError('not_found', 'there is no such intent')
  }
  const { wait } = query(c, waitQuery)
  await settled(c, parts, id, wait, row.phase, caller.kind === 'agent' ? caller.podUid : 'people')
  return written(c, await viewOf(parts, id), 200)
}

function written(c: Context, json: string, status: 200 | 202): Response {
  return c.body(json, status, { 'content-type': 'application/json' })
}

/**
 * Waits until the intent has ended, or newly waits for people, or the time is up. `seen` is the
 * phase the caller knows: waiting for people is no news to who already waits for them.
 */
async function settled(
  c: Context,
  parts: IntentRoutes,
  id: string,
  wait: number,
  seen: string | undefined,
  caller: string,
): Promise<void> {
  if (wait > 0) await parts.waiting.take(caller, () => untilSettled(c, parts, id, wait, seen))
}

async function untilSettled(
  c: Context,
  parts: IntentRoutes,
  id: string,
  wait: number,
  seen: string | undefined,
): Promise<void> {
  const { changes, cluster } = parts
  extendDeadline(c, (wait + 10) * 1000)
  const signal = AbortSignal.any([requestSignal(c), drainSignal(c)])
  const until = performance.now() + wait * 1000
  for (;;) {
    const left = until - performance.now()
    const change = changes.next(id, Math.max(0, Math.min(left, silentMs)), signal)
    const row = await stateOf(id, parts)
    if (row === undefined || row.terminal || left <= 0 || signal.aborted) return
    const news = row.phase === 'approve' && seen !== 'approve'
    // people approve an object: what they cannot see yet is not waiting for them
    if (news && cluster.intentObject(id)?.phase === 'approve') return
    const askedAt = performance.now()
    await (news ? Promise.race([change, sleep(shownMs)]) : change)
    if (performance.now() - askedAt >= silentMs) parts.journal.doubt(id)
  }
}

async function stateOf(
  id: string,
  { store, journal }: Pick<IntentRoutes, 'journal' | 'store'>,
): Promise<{ readonly phase: string; readonly terminal: boolean } | undefined> {
  const known = journal.of(id)
  if (known === undefined) return await store.intent(id)
  return { phase: known.record.phase, terminal: hasEnded(known.record) }
}
