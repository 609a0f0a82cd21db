import { type Caller, type Callers, callerKey } from '@jackstay/service/caller'
import { knownAs, requestSignal } from '@jackstay/service/server'
import type { Context } from 'hono'
import { z } from 'zod'

/**
 * Who holds the token of this request, by the API server; the request then has that one's place.
 * @throws JackstayError `unauthenticated`, `wrong_audience`
 */
export async function identifyCaller(
  c: Context,
  callers: Callers,
  token: string,
  audience: string,
): Promise<Caller> {
  const caller = await callers.identify(token, audience, requestSignal(c))
  knownAs(c, callerKey(caller))
  return caller
}

/** A hint which audience to ask the API server about; it alone decides. */
export function audiencesIn(token: string): readonly string[] {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    )
    const claims = z.object({ aud: z.array(z.string()) }).safeParse(payload)
    return claims.success ? claims.data.aud : []
  } catch {
    return [] // no JWT: the API server will say what it thinks of it
  }
}
