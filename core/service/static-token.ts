import { hash, timingSafeEqual } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { JackstayError } from '@jackstay/contract/errors'

export interface TokenFile {
  /** Changes whenever the content may have. */
  version(): Promise<string>
  read(): Promise<string>
}

/** A token to show to others, read again each time: files are swapped while programs run. */
export function tokenIn(path: string): () => Promise<string> {
  return async () => (await readFile(path, 'utf8')).trim()
}

export interface StaticToken {
  /**
   * Passes if `token` is one of the file's.
   * @throws JackstayError `unauthenticated`; `not_ready` if the file cannot be used
   */
  verify(token: string): Promise<void>
  /** Whether it is one of those held now, without a look at the file: decides about places alone. */
  recall(token: string): boolean
  /** The tokens held, for the redactor. */
  values(): readonly string[]
}

const maxTokens = 8
const minLength = 16

/** A file on disk, also one that Kubernetes swaps behind a symlink. */
export function tokenFile(path: string): TokenFile {
  return {
    async version() {
      const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
      return [ino, size, mtimeNs, ctimeNs].join(' ')
    },
    read: () => readFile(path, 'utf8'),
  }
}

/**
 * Checks a bearer token against a file with one token per line (several while one is replaced),
 * for senders that have no ServiceAccount, such as Alertmanager (T77). The file is read again when
 * it changes; if it becomes unreadable, empty or weak, nobody passes.
 * @throws JackstayError `invalid_config` if the file cannot be used at the start
 */
export async function staticToken(file: TokenFile): Promise<StaticToken> {
  let version = ''
  let tokens: readonly string[] = []
  /** Of them: every request is compared with them. */
  let digests: readonly Buffer[] = []
  const use = (given: readonly string[]) => {
    tokens = given
    digests = given.map(sha256)
  }

  const reload = async () => {
    const current = await file.version()
    if (current === version) return
    version = ''
    use([])
    use(parseTokens(await file.read()))
    version = current
  }
  try {
    await reload()
  } catch (cause) {
    const why = cause instanceof JackstayError ? cause.message : 'it cannot be read'
    throw new JackstayError('invalid_config', `the token file is unusable: ${why}`, { cause })
  }
  return {
    values: () => tokens,
    recall: (token) => isOneOf(token, digests),
    async verify(token) {
      try {
        await reload()
      } catch (cause) {
        use([])
        version = ''
        throw new JackstayError('not_ready', 'the token file is unusable; see the log', { cause })
      }
      if (!isOneOf(token, digests)) {
        throw new JackstayError('unauthenticated', 'the token is not the configured one')
      }
    },
  }
}

function parseTokens(text: string): readonly string[] {
  const tokens = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (tokens.length === 0 || tokens.length > maxTokens) {
    throw new JackstayError(
      'invalid_config',
      `write 1 to ${maxTokens} tokens into it, one per line`,
    )
  }
  if (tokens.some((token) => token.length < minLength)) {
    throw new JackstayError('invalid_config', `a token is shorter than ${minLength} characters`)
  }
  return tokens
}

/** Looks at every token, through digests of equal length, so time tells nothing. */
function isOneOf(given: string, digests: readonly Buffer[]): boolean {
  const digest = sha256(given)
  let found = false
  for (const known of digests) {
    if (timingSafeEqual(digest, known)) found = true
  }
  return found
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
