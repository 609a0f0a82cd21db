import { request as plain } from 'node:http'
import { request as secure } from 'node:https'

export interface Exchanged {
  readonly status: number
  readonly body: AsyncIterable<Uint8Array>
}

interface Sent {
  readonly headers: Readonly<Record<string, string>>
  /** Posted, where there is one. */
  readonly body: string | undefined
  readonly signal: AbortSignal
}

/**
 * One request, its answer as it is: a redirect is not followed, it would carry the token to somebody
 * else. Not `fetch`, which a process loads at its first use, for as long as the whole request takes.
 */
export function exchange(url: URL, { headers, body, signal }: Sent): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? secure : plain
    const options = { method: body === undefined ? 'GET' : 'POST', headers, signal }
    const sent = send(url, options, (answer) => {
      resolve({ status: answer.statusCode ?? 0, body: answer })
    })
    sent.once('error', (error) => reject(signal.aborted ? signal.reason : error))
    sent.end(body)
  })
}
