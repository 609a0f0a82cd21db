import { triggerAudiencePrefix, triggerMaker } from '@jackstay/contract/enrolment'
import { JackstayError } from '@jackstay/contract/errors'
import { systemNamespace } from '@jackstay/contract/namespaces'
import { bearerToken, type Callers } from '@jackstay/service/caller'
import type { Context } from 'hono'
import { audiencesIn, identifyCaller } from '../reading/caller.ts'

const account = `system:serviceaccount:${systemNamespace}:${triggerMaker}`

/**
 * Who made the token that came with a request: its audience names them, which the API server confirms
 * here, and held to whoever asked for the token when it made it.
 * @throws JackstayError `unauthenticated`, `wrong_audience`, `forbidden`
 */
export async function identifyMaker(c: Context, callers: Callers): Promise<string> {
  const token = bearerToken(c)
  const [audience = '', ...others] = audiencesIn(token)
  const person = audience.startsWith(triggerAudiencePrefix)
    ? audience.slice(triggerAudiencePrefix.length)
    : ''
  if (person === '' || others.length > 0) {
    throw new JackstayError(
      'wrong_audience',
      `make a token for \`${triggerMaker}\` with \`${triggerAudiencePrefix}\` and your user name as its audience`,
    )
  }
  const caller = await identifyCaller(c, callers, token, audience)
  if (caller.username === account) return person
  throw new JackstayError('forbidden', `make a token for \`${account}\``)
}
