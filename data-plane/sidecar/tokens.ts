import { readFile } from 'node:fs/promises'
import { JackstayError } from '@jackstay/contract/errors'
import { agentName } from '@jackstay/contract/intent'
import { uuid } from '@jackstay/contract/text'
import { z } from 'zod'

/** What a token is for; each has its own audience and file. */
export type TokenUse = 'enrol' | 'intent' | 'tools'

export interface Tokens {
  /**
   * The token as the kubelet has it now.
   * @throws JackstayError `not_ready`
   */
  read(use: TokenUse): Promise<string>
  /** Those read last, for the redactor. */
  held(): readonly string[]
}

/** Projected token files. The kubelet replaces them, so each use reads the file again. */
export function tokenFiles(paths: Readonly<Record<TokenUse, string>>): Tokens {
  const last = new Map<TokenUse, string>()
  return {
    held: () => [...last.values()],
    async read(use) {
      const path = paths[use]
      let text: string
      try {
        text = (await readFile(path, 'utf8')).trim()
      } catch (cause) {
        throw new JackstayError(
          'not_ready',
          `cannot read the ${use} token \`${path}\`; mount a projected token there`,
          { cause },
        )
      }
      if (!/^[\w\-.~+/]+=*$/.test(text)) {
        throw new JackstayError('not_ready', `the file \`${path}\` holds no token; mount one`)
      }
      last.set(use, text)
      return text
    },
  }
}

const claims = z.object({
  'kubernetes.io': z.object({
    namespace: z.string(),
    serviceaccount: z.object({ name: z.string() }),
    pod: z.object({ uid: uuid }),
  }),
})

/** Who a Pod-bound token says its holder is. Not verified: it is our own. */
export interface TokenHolder {
  readonly agent: string
  readonly podUid: string
}

/** @throws JackstayError `not_ready` for a token that is not bound to a Pod */
export function holderOf(token: string): TokenHolder {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
    const { namespace, serviceaccount, pod } = claims.parse(JSON.parse(payload))['kubernetes.io']
    return { agent: agentName.parse(`${namespace}/${serviceaccount.name}`), podUid: pod.uid }
  } catch (cause) {
    throw new JackstayError(
      'not_ready',
      'the token is not bound to a Pod; mount a projected ServiceAccount token',
      { cause },
    )
  }
}
