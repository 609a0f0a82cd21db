import { enrolmentRequest } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { wireLimits } from '@jackstay/contract/json'
import { readCanonical } from '@jackstay/service/body'
import { bearerToken, callerKey } from '@jackstay/service/caller'
import type { Log } from '@jackstay/service/log'
import type { Metrics } from '@jackstay/service/metrics'
import type { RateLimiter } from '@jackstay/service/rate'
import { type AppOptions, createApp, knownAs, requestSignal } from '@jackstay/service/server'
import { enrol, type Ports, type SecondEnrolment } from './enrol.ts'

export interface RegistrarOptions {
  readonly ports: Omit<Ports, 'alarm'>
  /** Per network address, before anything else is looked at. */
  readonly limiter: RateLimiter
  readonly log: Log
  readonly metrics: Metrics
  readonly limits?: AppOptions['limits']
}

const bodyBytes = 12 * 1024

/** `POST /v1/enrolments` inside the shell every program wears. */
export function registrarApp({ ports, limiter, log, metrics, limits }: RegistrarOptions) {
  const app = createApp({
    ...{ name: 'jackstay-registrar', log, metrics, limits: { ...limits, bodyBytes } },
    // each Pod comes once, so nobody is known beforehand: all begin among strangers
    recognise: () => undefined,
  })
  const enrolments = metrics.counter(
    'jackstay_enrolments_total',
    'enrolments asked for, by outcome: `enrolled` or the error code',
    ['outcome'],
  )
  const seconds = metrics.counter(
    'jackstay_second_enrolments_total',
    'keys offered for a Pod that had another one',
    ['revoked'],
  )
  const alarm = (second: SecondEnrolment) => {
    seconds.inc({ revoked: String(second.revoked) })
    log.error(second, 'second enrolment for one Pod')
  }

  app.post('/v1/enrolments', async (c) => {
    try {
      limiter.demand(c.env?.incoming?.socket.remoteAddress ?? 'unknown')
      const token = bearerToken(c)
      const { proof } = await readCanonical(c, enrolmentRequest, {
        ...wireLimits,
        bytes: bodyBytes,
      })
      const tokens: Ports['tokens'] = {
        async identify(...asked) {
          const caller = await ports.tokens.identify(...asked)
          knownAs(c, callerKey(caller))
          return caller
        },
      }
      const enrolled = await enrol({ proof, token }, { ...ports, tokens, alarm }, requestSignal(c))
      enrolments.inc({ outcome: 'enrolled' })
      log.info({ ...enrolled }, 'key enrolled')
      return c.json(enrolled, 200)
    } catch (error) {
      const outcome = error instanceof JackstayError ? error.code : 'internal'
      enrolments.inc({ outcome })
      const why = error instanceof Error ? error.message : String(error)
      log.info({ outcome, why }, 'enrolment refused')
      throw error
    }
  })
  return app
}
