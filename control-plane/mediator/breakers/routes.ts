import type { BreakerView } from '@jackstay/contract/api'
import type { ServiceEnv } from '@jackstay/service/server'
import type { Hono } from 'hono'
import { identifyReader, type Reader, type ReaderPorts } from '../reading/readers.ts'
import type { Breakers } from './breakers.ts'

export interface BreakerRoutes extends ReaderPorts {
  readonly breakers: Breakers
}

/** People see every breaker, an agent those that stand in its own way. */
export function breakerRoutes(app: Hono<ServiceEnv>, parts: BreakerRoutes): void {
  app.get('/v1/breakers', async (c) => {
    const caller = await identifyReader(c, parts)
    const shown = parts.breakers.views().filter((one) => isShown(one, caller))
    return c.json({ breakers: shown })
  })
}

function isShown(one: BreakerView, caller: Reader): boolean {
  if (caller.kind === 'person') return true
  if (one.class !== caller.class.name) return false
  return one.scope !== 'agent' || one.key === caller.agent
}
