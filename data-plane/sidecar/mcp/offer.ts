import type { ClusterInfo } from '@jackstay/contract/api'
import type { Tool } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Clock } from '../intent.ts'
import type { Line } from '../line.ts'
import { actionTool, fixedTools } from './tools.ts'

/** What the agent is shown, and what its params are checked by before anything is signed. */
export interface Offer {
  readonly tools: readonly Tool[]
  /** Of the offered actions, by name. */
  readonly params: ReadonlyMap<string, z.ZodType>
}

/** Classes change rarely: their agents see it within this. */
const freshMs = 10_000

/**
 * The offer of the control plane, remembered for ten seconds, and for as long as the control plane
 * is away: what was shown a while ago is no less true than nothing.
 */
export function offerings(line: Pick<Line, 'cluster'>, clock: Clock) {
  let last: { readonly at: number; readonly offer: Offer } | undefined
  return {
    /** @throws JackstayError where it was never known */
    async current(signal: AbortSignal): Promise<Offer> {
      if (last !== undefined && clock.now() - last.at < freshMs) return last.offer
      try {
        last = { at: clock.now(), offer: offerOf(await line.cluster(signal)) }
      } catch (error) {
        if (last === undefined) throw error
      }
      return last.offer
    },
    /** Without asking anybody. */
    known: () => last?.offer,
  }
}
export type Offerings = ReturnType<typeof offerings>

function offerOf(info: ClusterInfo): Offer {
  const params = new Map<string, z.ZodType>()
  for (const action of info.actions) {
    const schema = schemaOf(action.params)
    if (schema !== undefined) params.set(action.name, schema)
  }
  const actions = info.actions.map((action) => actionTool(action, info.class?.autonomy))
  return { tools: [...fixedTools, ...actions], params }
}

/** Undefined where a later control plane says it in a way we cannot read: it checks them itself. */
function schemaOf(params: unknown): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(z.looseObject({}).parse(params))
  } catch {
    return undefined
  }
}
