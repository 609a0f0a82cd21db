import { JackstayError } from '@jackstay/contract/errors'
import { type ReadVerb, reads } from '@jackstay/contract/reads'
import type { KubeClient } from '@jackstay/kube/client'
import { readJson } from '@jackstay/service/body'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { RateLimiter } from '@jackstay/service/rate'
import { createApp, requestSignal } from '@jackstay/service/server'
import { Turns } from '@jackstay/service/turns'
import type { Context } from 'hono'
import { AgentReader } from './agent.ts'
import { type CallerParts, identify, requireLive } from './caller.ts'
import { bounded, verbs } from './verbs.ts'

export interface KubernetesReadParts extends CallerParts {
  /** As kubernetes-read itself, which may impersonate agents. */
  readonly client: KubeClient
  /** Per Pod. */
  readonly limiter: RateLimiter
  readonly log: Log
  readonly metrics: Metrics
}

const bodyLimits = { bytes: 8 * 1024, depth: 4, nodes: 64 }
/** Reads under way: of everybody, and of one agent in all its Pods. */
const atOnce = { all: 32, agent: 4 }

/** Runs one read for whoever asks, with a question that is still to be checked. */
export type Ask = (c: Context, verb: ReadVerb, question: () => Promise<unknown>) => Promise<object>

/** `POST /v1/tools/{verb}`: what an agent may see, read with its own rights. */
export function kubernetesReadApp(parts: KubernetesReadParts) {
  const { log, metrics } = parts
  const app = createApp({
    name: 'jackstay-kubernetes-read',
    log,
    metrics,
    limits: { bodyBytes: bodyLimits.bytes, inFlight: atOnce.all },
  })
  const ask = asking(parts)
  for (const verb of verbNames) {
    app.post(`/v1/tools/${verb}`, async (c) =>
      c.json(await ask(c, verb, () => readJson(c, reads[verb].request, bodyLimits))),
    )
  }
  return app
}

const verbNames = Object.keys(reads).filter((name): name is ReadVerb => name in reads)

function asking(parts: KubernetesReadParts): Ask {
  const { client, limiter, metrics } = parts
  const turns = new Turns(
    atOnce.agent,
    (running) => `${running} reads of this agent are under way; wait for one of them`,
  )
  const counter = metrics.counter('jackstay_tool_reads_total', 'reads by verb and outcome', [
    'verb',
    'outcome',
  ])
  const withheld = metrics.counter(
    'jackstay_tool_withheld_total',
    'values kept from agents because they are or look like secrets',
    ['verb'],
  )
  metrics.gaugeOf('jackstay_tool_agents_reading', 'agents with reads under way', () => turns.size)

  const read: Ask = async (c, verb, question) => {
    const signal = requestSignal(c)
    const caller = await identify(c, parts)
    const { cost, run } = verbs[verb]
    limiter.demand(caller.pod.uid, cost)
    return await turns.take(`${caller.namespace}/${caller.name}`, async () => {
      await requireLive(caller, parts, signal)
      const input = await question()
      const reader = new AgentReader(client, caller, signal)
      return bounded(verb, await run(reader, input, signal))
    })
  }
  return async (c, verb, question) => {
    try {
      const answer = await read(c, verb, question)
      counter.inc({ verb, outcome: 'ok' })
      if ('withheld' in answer && Number(answer.withheld) > 0) {
        withheld.inc({ verb }, Number(answer.withheld))
      }
      return answer
    } catch (error) {
      counter.inc({ verb, outcome: error instanceof JackstayError ? error.code : 'internal' })
      throw error
    }
  }
}
