import type { ClusterInfo } from '@jackstay/contract/api'
import { audiences } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { intentSubmission } from '@jackstay/contract/intent'
import { alertmanagerWebhook } from '@jackstay/contract/trigger'
import type { Store } from '@jackstay/ledger/store'
import { readCanonical, readJson } from '@jackstay/service/body'
import { bearerToken, type Callers, podIsLive, requirePod } from '@jackstay/service/caller'
import {
  type AppOptions,
  createApp,
  drainSignal,
  extendDeadline,
  requestSignal,
} from '@jackstay/service/server'
import type { StaticToken } from '@jackstay/service/static-token'
import type { Context } from 'hono'
import { z } from 'zod'
import type { Changes } from './changes.ts'
import type { Driver } from './driver.ts'
import { type IntakePorts, takeIn } from './intake.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import type { ClassView, ClusterView } from './ports.ts'
import type { TriggerDesk } from './trigger-desk.ts'
import { listOf, listQuery, viewOf, waitQuery } from './views.ts'

export interface AppParts {
  readonly shell: AppOptions
  readonly store: Store
  readonly cluster: ClusterView
  readonly callers: Callers
  readonly intake: Omit<IntakePorts, 'identify'>
  readonly driver: Driver
  readonly desk: TriggerDesk
  readonly changes: Changes
  readonly alertToken: StaticToken
  readonly clusterInfo: ClusterInfo
  readonly vkey: string
  readonly onRefused: (code: string) => void
}

/** An Alertmanager batch is larger than an intent, and nobody's signature hangs on its form. */
const alertLimits = { bytes: 1024 * 1024, depth: 16, nodes: 65_536 }

/** Who may read every intent: the ServiceAccount for which people make short tokens. */
const reader = 'system:serviceaccount:jackstay-system:jackstay-reader'

type Reader =
  | { readonly kind: 'person' }
  | {
      readonly kind: 'agent'
      readonly agent: string
      readonly podUid: string
      readonly class: ClassView
    }

/** The mediator's HTTP API: intents, triggers, alerts, the log. */
export function mediatorApp(parts: AppParts) {
  const { store, driver, desk, onRefused } = parts
  const app = createApp(parts.shell)

  app.post('/v1/alerts/alertmanager', async (c) => {
    await parts.alertToken.verify(bearerToken(c))
    const webhook = await readJson(c, alertmanagerWebhook, alertLimits)
    return c.json(await desk.accept(webhook), 202)
  })

  app.get('/v1/cluster', async (c) => {
    await identify(c, parts)
    return c.json(parts.clusterInfo)
  })

  app.get('/v1/triggers', async (c) => {
    const caller = await identify(c, parts)
    if (caller.kind !== 'agent') throw new JackstayError('forbidden', 'triggers are for agents')
    const { wait } = query(c, waitQuery)
    extendDeadline(c, (wait + 10) * 1000)
    const signal = AbortSignal.any([requestSignal(c), drainSignal(c)])
    const triggers = await desk.take(caller.class, caller.podUid, wait * 1000, signal)
    return c.json({ triggers })
  })

  app.post('/v1/intents', async (c) => {
    const { wait } = query(c, waitQuery)
    const signal = requestSignal(c)
    const token = bearerToken(c)
    const submission = await readCanonical(c, intentSubmission)
    const identifyAgent = (held: string) => parts.callers.identify(held, audiences.intent, signal)
    try {
      const ports = { ...parts.intake, identify: identifyAgent }
      const { id, created } = await takeIn(submission, token, ports)
      if (created) driver.add(id)
      await settled(c, parts, id, wait, undefined)
      return c.json(await viewOf(store, id), created ? 202 : 200)
    } catch (error) {
      if (error instanceof JackstayError) onRefused(error.code)
      throw error
    }
  })

  app.get('/v1/intents', async (c) => {
    const caller = await identify(c, parts)
    const { before, phase, namespace, agent, limit } = query(c, listQuery)
    const whose = caller.kind === 'agent' ? caller.agent : agent
    return c.json(
      await listOf(store, {
        limit,
        ...(before !== undefined && { before }),
        ...(phase && { phase }),
        ...(namespace && { namespace }),
        ...(whose && { agent: whose }),
      }),
    )
  })

  app.get('/v1/intents/:id', async (c) => {
    const caller = await identify(c, parts)
    const id = c.req.param('id')
    const row = await store.intent(id)
    // an agent cannot tell another's intent from none at all (T76)
    if (row === undefined || (caller.kind === 'agent' && row.agent !== caller.agent)) {
      throw new JackstayError('not_found', 'there is no such intent')
    }
    const { wait } = query(c, waitQuery)
    await settled(c, parts, id, wait, row.phase)
    return c.json(await viewOf(store, id))
  })

  ledgerRoutes(app, store, parts.vkey, async (c) => {
    const caller = await identify(c, parts)
    if (caller.kind !== 'person') throw new JackstayError('forbidden', 'the log is for people')
  })
  return app
}

/** A person's reading token, or a live agent of an existing class. */
async function identify(c: Context, parts: AppParts): Promise<Reader> {
  const token = bearerToken(c)
  const signal = requestSignal(c)
  if (hasAudience(token, audiences.read)) {
    const caller = await parts.callers.identify(token, audiences.read, signal)
    if (caller.username !== reader)
      throw new JackstayError('forbidden', `make a token for ${reader}`)
    return { kind: 'person' }
  }
  const { namespace, name, pod } = requirePod(
    await parts.callers.identify(token, audiences.intent, signal),
  )
  if (!podIsLive(parts.cluster.pod(namespace, pod.name), pod.uid)) {
    throw new JackstayError('pod_not_live', `the Pod \`${pod.name}\` is gone, ending or replaced`)
  }
  const found = parts.cluster.classes().find((one) => one.spec.namespace === namespace)
  if (found === undefined) {
    throw new JackstayError('forbidden', `no agent class lives in the namespace \`${namespace}\``)
  }
  return { kind: 'agent', agent: `${namespace}/${name}`, podUid: pod.uid, class: found }
}

/** A hint which audience to ask the API server about; it alone decides. */
function hasAudience(token: string, audience: string): boolean {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    )
    const claims = z.object({ aud: z.array(z.string()) }).safeParse(payload)
    return claims.success && claims.data.aud.includes(audience)
  } catch {
    return false // no JWT: the API server will say what it thinks of it
  }
}

function query<S extends z.ZodType>(c: Context, schema: S): z.output<S> {
  const parsed = schema.safeParse(c.req.query())
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = issue?.path.join('.') || 'query'
  throw new JackstayError('invalid_request', `\`${name}\`: ${issue?.message ?? 'invalid'}`)
}

/**
 * Waits until the intent has ended, or newly waits for people, or the time is up. `seen` is the
 * phase the caller knows: waiting for people is no news to who already waits for them.
 */
async function settled(
  c: Context,
  parts: AppParts,
  id: string,
  wait: number,
  seen: string | undefined,
): Promise<void> {
  if (wait === 0) return
  extendDeadline(c, (wait + 10) * 1000)
  const signal = AbortSignal.any([requestSignal(c), drainSignal(c)])
  const until = performance.now() + wait * 1000
  for (;;) {
    const left = until - performance.now()
    const change = parts.changes.next(id, Math.max(0, Math.min(left, 2000)), signal)
    const row = await parts.store.intent(id)
    if (row === undefined || row.terminal || left <= 0 || signal.aborted) return
    if (row.phase === 'approve' && seen !== 'approve') return
    await change
  }
}
