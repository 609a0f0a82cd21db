import { JackstayError } from '@jackstay/contract/errors'
import { alertmanagerWebhook, pagerLabel } from '@jackstay/contract/trigger'
import { readJson } from '@jackstay/service/body'
import { bearerToken } from '@jackstay/service/caller'
import {
  drainSignal,
  extendDeadline,
  knownAs,
  requestSignal,
  type ServiceEnv,
} from '@jackstay/service/server'
import type { StaticToken } from '@jackstay/service/static-token'
import type { Turns } from '@jackstay/service/turns'
import type { Hono } from 'hono'
import { z } from 'zod'
import { identifyReader, query, type ReaderPorts } from '../reading/readers.ts'
import { waitQuery } from '../reading/views.ts'
import type { TriggerDesk } from './trigger-desk.ts'

/** Whoever holds the token for alerts, among callers. */
export const alertSender = 'alertmanager'

export interface TriggerRoutes extends ReaderPorts {
  readonly desk: TriggerDesk
  readonly alertToken: StaticToken
  readonly waiting: Turns
}

/** An Alertmanager batch is larger than an intent, and nobody's signature hangs on its form. */
const alertLimits = { bytes: 1024 * 1024, depth: 16, nodes: 65_536 }

/** `seen`: the ids of earlier answers that arrived; what is not said to have arrived is said again. */
export const pollQuery = waitQuery.extend({
  seen: z
    .string()
    .max(64 * 40)
    .default('')
    .transform((text) => text.split(',').filter((id) => id !== '')),
})

/** Alerts come in by Alertmanager's webhook, and go out to agents by long poll. */
export function triggerRoutes(app: Hono<ServiceEnv>, parts: TriggerRoutes): void {
  app.post('/v1/alerts/alertmanager', async (c) => {
    await parts.alertToken.verify(bearerToken(c))
    // alerts are read in full, whoever else floods
    knownAs(c, alertSender)
    const webhook = await readJson(c, alertmanagerWebhook, alertLimits)
    // what Jackstay posted for people may be routed back here, and starts nothing
    const alerts = webhook.alerts.filter(({ labels }) => labels.jackstay !== pagerLabel.jackstay)
    return c.json(await parts.desk.accept({ ...webhook, alerts }), 202)
  })
  app.get('/v1/triggers', async (c) => {
    const caller = await identifyReader(c, parts)
    if (caller.kind !== 'agent') throw new JackstayError('forbidden', 'triggers are for agents')
    const { wait, seen } = query(c, pollQuery)
    await parts.desk.acknowledge(seen, caller.podUid)
    extendDeadline(c, (wait + 10) * 1000)
    const signal = AbortSignal.any([requestSignal(c), drainSignal(c)])
    const triggers = await parts.waiting.take(caller.podUid, () =>
      parts.desk.take(caller.class, caller.podUid, wait * 1000, signal),
    )
    return c.json({ triggers })
  })
}
