import { type Callers, callerKey } from '@jackstay/service/caller'
import type { StaticToken } from '@jackstay/service/static-token'
import { alertSender } from '../triggers/trigger-routes.ts'

/** Whose token this was when it was last checked: such a request does not begin among strangers (T13). */
export function recogniser(
  alertToken: Pick<StaticToken, 'recall'>,
  callers: Pick<Callers, 'recall'>,
): (token: string) => string | undefined {
  return (token) => {
    if (alertToken.recall(token)) return alertSender
    const caller = callers.recall(token)
    return caller && callerKey(caller)
  }
}
