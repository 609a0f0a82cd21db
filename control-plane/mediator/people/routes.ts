import { JackstayError } from '@jackstay/contract/errors'
import type { AgentList, MediatorStatus } from '@jackstay/contract/people-api'
import { manualTrigger } from '@jackstay/contract/trigger'
import type { Store } from '@jackstay/ledger/store'
import { readJson } from '@jackstay/service/body'
import { podIsLive } from '@jackstay/service/caller'
import {
  drainSignal,
  extendDeadline,
  requestSignal,
  type ServiceEnv,
} from '@jackstay/service/server'
import type { Turns } from '@jackstay/service/turns'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import type { KeyView } from '../ports.ts'
import { identifyReader, query, type ReaderPorts } from '../reading/readers.ts'
import { waitQuery } from '../reading/views.ts'
import { inboxLimit, inboxOf, sorted } from './inbox.ts'
import type { ManualTriggers } from './manual-triggers.ts'
import type { Recent } from './recent.ts'
import { identifyMaker } from './trigger-maker.ts'

export interface PeopleRoutes extends ReaderPorts {
  readonly store: Store
  readonly waiting: Turns
  readonly recent: Recent
  readonly manual: ManualTriggers
  /** What the caches say of themselves and of agents. */
  readonly watched: {
    caches(): MediatorStatus['caches']
    keys(): Iterable<KeyView>
  }
  readonly self: () => Omit<MediatorStatus, 'caches' | 'waiting' | 'held'>
}

/** The line as a whole, for people: how it stands, what waits, what changes, who is there. */
export function peopleRoutes(app: Hono<ServiceEnv>, parts: PeopleRoutes): void {
  const { cluster } = parts
  app.get('/v1/status', async (c) => {
    await assertPerson(c, parts)
    const { waiting, held } = sorted(cluster.intentObjects())
    const oldest = waiting.map(({ createdAt }) => createdAt).toSorted()[0]
    const status: MediatorStatus = {
      ...parts.self(),
      caches: parts.watched.caches(),
      waiting: { count: waiting.length, ...(oldest !== undefined && { oldestAt: oldest }) },
      held: held.length,
    }
    return c.json(status)
  })
  app.get('/v1/inbox', async (c) => {
    await assertPerson(c, parts)
    const { limit } = query(c, inboxQuery)
    return c.json(await inboxOf(cluster.intentObjects(), parts.store, limit))
  })
  app.get('/v1/changes', async (c) => {
    await assertPerson(c, parts)
    return await changesAfter(c, parts)
  })
  app.get('/v1/agents', async (c) => {
    await assertPerson(c, parts)
    return c.json(agentsOf(parts))
  })
  app.post('/v1/triggers', async (c) => {
    const person = await identifyMaker(c, parts.callers)
    return c.json(await parts.manual.create(await readJson(c, manualTrigger), person), 201)
  })
  app.post('/v1/triggers/:id/resolved', async (c) => {
    await identifyMaker(c, parts.callers)
    return c.json(await parts.manual.resolve(c.req.param('id')))
  })
}

export const inboxQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(inboxLimit).default(50),
})
export const changesQuery = z.strictObject({
  ...waitQuery.shape,
  after: z.string().max(128).optional(),
})

async function assertPerson(c: Context, parts: ReaderPorts): Promise<void> {
  const caller = await identifyReader(c, parts)
  if (caller.kind !== 'person') throw new JackstayError('forbidden', 'this is for people')
}

async function changesAfter(c: Context, { recent, waiting }: PeopleRoutes): Promise<Response> {
  const { after, wait } = query(c, changesQuery)
  const signal = AbortSignal.any([requestSignal(c), drainSignal(c)])
  const found = recent.after(after)
  if (after === undefined || found.changes.length > 0 || found.missed || wait === 0) {
    return c.json(found)
  }
  extendDeadline(c, (wait + 10) * 1000)
  await waiting.take('people', () => recent.next(wait * 1000, signal))
  return c.json(recent.after(after))
}

function agentsOf({ watched, cluster, sightings }: PeopleRoutes): AgentList {
  const agents = [...watched.keys()].map((key) => {
    const { agent, podName, podUid, thumbprint, namespace, revoked } = key
    const seenAt = sightings.at(podUid)
    return {
      ...{ agent, class: key.class, pod: `${namespace}/${podName}`, kid: thumbprint, revoked },
      live: podIsLive(cluster.pod(namespace, podName), podUid),
      ...(seenAt !== undefined && { seenAt }),
    }
  })
  return { agents: agents.toSorted((a, b) => (a.pod < b.pod ? -1 : 1)) }
}
