import { readFileSync, statSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { JackstayError } from '@jackstay/contract/errors'
import { KubeConfig } from '@kubernetes/client-node'
import { type Clock, systemClock } from './clock.ts'
import type { Impersonation } from './impersonation.ts'
import { type ConfigOptions, type Environment, type Loaded, readKubeconfig } from './kubeconfig.ts'

export type { ConfigOptions } from './kubeconfig.ts'

/** TLS material as node:tls takes it. */
export interface TlsMaterial {
  readonly ca?: RequestOptions['ca']
  readonly cert?: RequestOptions['cert']
  readonly key?: RequestOptions['key']
  readonly rejectUnauthorized?: boolean
  readonly servername?: string
}

/** What one request authenticates with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsMaterial
}

/** One context of a kubeconfig: where the API server is and how to authenticate. */
export interface ClusterConfig {
  readonly server: URL
  readonly context: string
  /** The context's namespace, else `default`. */
  readonly namespace: string
  /** The file, files or `in-cluster`, for messages. */
  readonly source: string
  readonly proxyUrl?: string
  /** Whom the kubeconfig itself says to be. */
  readonly impersonation?: Impersonation
  /**
   * Credentials for the next request: files are read again at least every 60 s (a token file as soon
   * as it changes), credential plugins are asked again when theirs expire.
   * @throws JackstayError `invalid_config`, `upstream_unavailable` (a plugin failed or was too slow)
   */
  credentials(signal: AbortSignal): Promise<Credentials>
  /** After a 401: read everything again before the next request. */
  invalidate(): void
}

/**
 * Loads a kubeconfig, or the Pod's own account, with the official client.
 * @throws JackstayError `invalid_config` naming the file and what to do
 */
export function loadConfig(
  options: ConfigOptions = {},
  env: Environment = process.env,
  clock: Clock = systemClock,
): ClusterConfig {
  return makeConfig(() => readKubeconfig(options, env), clock)
}

/**
 * A configuration without a file, for a server whose address is known, e.g.
 * `configFor('http://127.0.0.1:8001')`.
 * @throws JackstayError `invalid_config` for plain HTTP beyond loopback
 */
export function configFor(
  server: string,
  credentials: { readonly token?: string; readonly caData?: string } = {},
): ClusterConfig {
  const { token, caData } = credentials
  return makeConfig(() => {
    const kubeConfig = new KubeConfig()
    kubeConfig.loadFromClusterAndUser(
      {
        name: 'cluster',
        server,
        skipTLSVerify: false,
        ...(caData === undefined ? {} : { caData }),
      },
      { name: 'user', ...(token === undefined ? {} : { token }) },
    )
    return { kubeConfig, source: server, tokenFile: undefined, impersonation: undefined }
  }, systemClock)
}

function makeConfig(load: () => Loaded, clock: Clock): ClusterConfig {
  const first = load()
  const cluster = first.kubeConfig.getCurrentCluster()
  const context = first.kubeConfig.getCurrentContext()
  const server = serverUrl(cluster?.server ?? '', first.source)
  const namespace = first.kubeConfig.getContextObject(context)?.namespace || 'default'
  const source = new CredentialSource(first, load, clock)
  return {
    server,
    context,
    namespace,
    source: first.source,
    ...(cluster?.proxyUrl ? { proxyUrl: proxy(cluster.proxyUrl) } : {}),
    ...(first.impersonation && { impersonation: first.impersonation }),
    credentials: (signal) => source.current(signal),
    invalidate: () => source.invalidate(),
  }
}

/** Credentials never leave the machine in clear text. */
function serverUrl(text: string, source: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new JackstayError(
      'invalid_config',
      `\`${text}\` in \`${source}\` is no server address; use https://host:port`,
    )
  }
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !loopback) {
    throw new JackstayError(
      'invalid_config',
      `\`${text}\` in \`${source}\` is plain HTTP beyond loopback; use https`,
    )
  }
  return url
}

function proxy(url: string): string {
  if (/^https?:/.test(url)) return url
  throw new JackstayError(
    'invalid_config',
    `the proxy-url \`${url}\` is not supported; use an http or https proxy`,
  )
}

const maxAgeMs = 60_000
const pluginAgeMs = 10_000
const tokenCheckMs = 1_000

class CredentialSource {
  readonly #load: () => Loaded
  readonly #clock: Clock
  #loaded: Loaded | undefined
  #token: { value: string; stamp: string; readAt: number; checkedAt: number } | undefined
  #base: { value: Promise<Credentials>; at: number } | undefined

  constructor(loaded: Loaded, load: () => Loaded, clock: Clock) {
    this.#loaded = loaded
    this.#load = load
    this.#clock = clock
  }

  invalidate(): void {
    this.#loaded = undefined
    this.#base = undefined
    this.#token = undefined
  }

  async current(signal: AbortSignal): Promise<Credentials> {
    this.#loaded ??= this.#load()
    const { tokenFile } = this.#loaded
    const base = await abortable(this.#fromOfficialClient(this.#loaded), signal)
    if (tokenFile === undefined) return base
    return {
      ...base,
      headers: { ...base.headers, Authorization: `Bearer ${this.#readToken(tokenFile)}` },
    }
  }

  /** Shared by concurrent requests, so a credential plugin runs once. */
  #fromOfficialClient(loaded: Loaded): Promise<Credentials> {
    const user = loaded.kubeConfig.getCurrentUser()
    const plugin = Boolean(user?.exec ?? user?.authProvider)
    const now = this.#clock.now()
    if (this.#base && now - this.#base.at < (plugin ? pluginAgeMs : maxAgeMs))
      return this.#base.value
    const base = { value: officialCredentials(loaded), at: now }
    this.#base = base
    base.value.catch(() => {
      if (this.#base === base) this.#base = undefined
    })
    return base.value
  }

  #readToken(file: string): string {
    const now = this.#clock.now()
    const known = this.#token
    if (known && now - known.checkedAt < tokenCheckMs) return known.value
    try {
      const { mtimeMs, ino, size } = statSync(file)
      const stamp = `${mtimeMs}/${ino}/${size}`
      if (known && known.stamp === stamp && now - known.readAt < maxAgeMs) {
        known.checkedAt = now
        return known.value
      }
      const value = readFileSync(file, 'utf8').trim()
      if (value === '') throw new Error('it is empty')
      this.#token = { value, stamp, readAt: now, checkedAt: now }
      return value
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new JackstayError(
        'invalid_config',
        `the token file \`${file}\` cannot be read: ${why}; write a token into it`,
        { cause },
      )
    }
  }
}

async function officialCredentials({ kubeConfig, source }: Loaded): Promise<Credentials> {
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
  const cluster = kubeConfig.getCurrentCluster()
  // the official client refuses http without this flag; we allow it on loopback, where no TLS is skipped
  if (cluster?.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true })
  try {
    await kubeConfig.applyToHTTPSOptions(options)
  } catch (cause) {
    const command: unknown = kubeConfig.getCurrentUser()?.exec?.command
    const why = cause instanceof Error ? cause.message.trim() : String(cause)
    if (typeof command === 'string') {
      throw new JackstayError(
        'upstream_unavailable',
        `the credential plugin \`${command}\` failed: ${why}; run it by hand`,
        { cause },
      )
    }
    throw new JackstayError(
      'invalid_config',
      `the credentials in \`${source}\` cannot be used: ${why}; correct them`,
      { cause },
    )
  }
  const headers = { ...options.headers }
  if (options.auth) headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
  const { ca, cert, key, rejectUnauthorized, servername } = options
  return {
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(servername === undefined ? {} : { servername }),
    },
  }
}

/** The official client's plugins take no signal: a hanging one is left behind. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () =>
    reject(
      new JackstayError(
        'upstream_unavailable',
        'no credentials before the deadline; run the credential plugin by hand',
        { cause: signal.reason },
      ),
    )
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
