import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { JackstayError } from '@jackstay/contract/errors'

/** Where a PostgreSQL is and as whom to speak to it. The password stays out of everything printed. */
export interface PostgresTarget {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: (() => string) | undefined
  readonly ssl: ConnectionOptions | false
  /** `host:port/database`: what messages may say. */
  readonly name: string
}

const parameters = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const
type Parameters = { readonly [P in (typeof parameters)[number]]?: string }

/**
 * Reads `postgresql://user:password@host:5432/database?sslmode=verify-full`, with the parameters
 * `host` (folder of a unix socket), `sslmode` (`verify-full`, or `disable` on the same machine),
 * `sslrootcert`, `sslcert` and `sslkey` (files).
 * @throws JackstayError `invalid_config`, which never quotes the URL: it may hold a password.
 */
export async function postgresTarget(text: string): Promise<PostgresTarget> {
  const url = parse(text)
  const asked = parametersOf(url)
  const host = asked.host ?? url.hostname.replace(/^\[(.+)\]$/, '$1')
  const database = decode(url.pathname.slice(1))
  const user = decode(url.username)
  if (host === '' || database === '' || user === '') {
    throw invalid('must name user, host and database: `postgresql://user@host/database`')
  }
  const port = url.port === '' ? 5432 : Number(url.port)
  const password = decode(url.password)
  return {
    ...{ host, port, database, user },
    password: password === '' ? undefined : () => password,
    ssl: await sslOf(asked, isOnThisMachine(host)),
    name: `${host}:${port}/${database}`,
  }
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'postgresql:' || url?.protocol === 'postgres:') return url
  throw invalid('is not of the form `postgresql://user@host/database`')
}

function parametersOf(url: URL): Parameters {
  const known: readonly string[] = parameters
  const unknown = [...url.searchParams.keys()].find((key) => !known.includes(key))
  if (unknown === undefined) return Object.fromEntries(url.searchParams)
  throw invalid(`has a parameter that is not known: use ${parameters.join(', ')}`)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid('has a `%` that starts no escape: write it as `%25`')
  }
}

function isOnThisMachine(host: string): boolean {
  return host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host)
}

async function sslOf(asked: Parameters, local: boolean): Promise<ConnectionOptions | false> {
  const { sslmode = local ? 'disable' : undefined, sslrootcert, sslcert, sslkey } = asked
  if (sslmode === 'disable' && local) return false
  if (sslmode !== 'verify-full') {
    throw invalid('leads to another machine: add `sslmode=verify-full`, and `sslrootcert=FILE`')
  }
  const [ca, cert, key] = await Promise.all([sslrootcert, sslcert, sslkey].map(read))
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

async function read(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const message = `the certificate or key \`${path}\` cannot be read: check its path and mode`
    throw new JackstayError('invalid_config', message, { cause })
  }
}

function invalid(what: string): JackstayError {
  return new JackstayError('invalid_config', `the URL of the ledger's database ${what}`)
}

export const defaultSchema = 'jackstay'

/** The schema a log lies in. @throws JackstayError `invalid_config` */
export function schemaName(name = defaultSchema): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return name
  throw new JackstayError(
    'invalid_config',
    `\`${name}\` is no schema name: use lower-case letters, digits and underscores`,
  )
}
