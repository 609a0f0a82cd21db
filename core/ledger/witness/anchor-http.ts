import { readFile } from 'node:fs/promises'
import { JackstayError } from '@jackstay/contract/errors'
import type { Anchor } from './anchor.ts'
import type { Requester } from './witness-client.ts'

export interface HttpAnchorOptions {
  readonly name: string
  readonly url: URL
  /** A file with the bearer token; read for each push, so that it can be replaced. */
  readonly tokenFile?: string
  readonly timeoutMs: number
  readonly fetch: Requester['fetch']
}

/** Posts each checkpoint as text; any 2xx means that it was kept. What was kept is not read back. */
export function httpAnchor(options: HttpAnchorOptions): Anchor {
  const { name, url, tokenFile, timeoutMs, fetch } = options
  return {
    name,
    description: `POST ${url.origin}${url.pathname}`,
    async push(note, signal) {
      const token = tokenFile === undefined ? undefined : await tokenIn(tokenFile)
      const response = await fetch(url, {
        method: 'POST',
        body: note,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        redirect: 'error',
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      })
      await response.body?.cancel()
      if (response.ok) return
      throw new JackstayError('upstream_unavailable', `it answered ${response.status}`)
    },
    newest: async () => undefined,
  }
}

async function tokenIn(path: string): Promise<string> {
  const token = (await readFile(path, 'utf8')).trim()
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token
  throw new JackstayError('invalid_config', `\`${path}\` holds no bearer token on one line`)
}
