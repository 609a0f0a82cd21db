import type { ClusterInfo } from '@jackstay/contract/api'
import { JackstayError } from '@jackstay/contract/errors'
import { type AppOptions, createApp, type ServiceEnv } from '@jackstay/service/server'
import type { Hono } from 'hono'
import { type BreakerRoutes, breakerRoutes } from './breakers/routes.ts'
import { type IntentRoutes, intentRoutes } from './intake/intent-routes.ts'
import { ledgerRoutes } from './memory/ledger-routes.ts'
import type { Outside } from './memory/outside.ts'
import { openApiDocument } from './openapi/document.ts'
import { type PeopleRoutes, peopleRoutes } from './people/routes.ts'
import { offeredTo } from './reading/offer.ts'
import { identifyReader } from './reading/readers.ts'
import { type TriggerRoutes, triggerRoutes } from './triggers/trigger-routes.ts'

export interface AppParts extends IntentRoutes, TriggerRoutes, PeopleRoutes, BreakerRoutes {
  readonly shell: AppOptions
  readonly clusterInfo: ClusterInfo
  readonly vkey: string
  readonly outside: Outside
}

/** The mediator's HTTP API: intents, triggers, alerts, the log. */
export function mediatorApp(parts: AppParts): Hono<ServiceEnv> {
  const app = createApp(parts.shell)
  app.get('/v1/cluster', async (c) => {
    const reader = await identifyReader(c, parts)
    const { clusterInfo } = parts
    return c.json(reader.kind === 'agent' ? offeredTo(reader.class, clusterInfo) : clusterInfo)
  })
  triggerRoutes(app, parts)
  breakerRoutes(app, parts)
  intentRoutes(app, parts)
  peopleRoutes(app, parts)
  const document = openApiDocument('v1')
  app.get('/openapi.json', (c) => c.json(document))
  ledgerRoutes(app, parts.store, parts.vkey, parts.outside, async (c) => {
    const caller = await identifyReader(c, parts)
    if (caller.kind !== 'person') throw new JackstayError('forbidden', 'the log is for people')
  })
  return app
}
