import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { JackstayError } from '@jackstay/contract/errors'
import { KubeConfig, loadYaml } from '@kubernetes/client-node'
import { z } from 'zod'
import type { Impersonation } from './impersonation.ts'
import { isRecord } from './resources.ts'

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

export interface ConfigOptions {
  /** A kubeconfig file; without it `KUBECONFIG`, then `~/.kube/config`, then the Pod's own account. */
  readonly kubeconfig?: string
  /** Instead of the file's current context. */
  readonly context?: string
  /** Only the Pod's own account. */
  readonly inCluster?: boolean
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A loaded kubeconfig, reduced to the context in use. */
export interface Loaded {
  readonly kubeConfig: KubeConfig
  readonly source: string
  /** Read by us: the official client knows kubeconfig's `tokenFile` under another name only. */
  readonly tokenFile: string | undefined
  /** Read by us: the official client drops everything of it but the name. */
  readonly impersonation: Impersonation | undefined
}

/** Finds and reads the configuration. @throws JackstayError `invalid_config` */
export function readKubeconfig(options: ConfigOptions, env: Environment): Loaded {
  const files = kubeconfigFiles(options, env)
  if (files === undefined) return readInCluster(env)
  const own = new Map<string, OwnFields>()
  const kubeConfig = new KubeConfig()
  for (const [index, file] of files.entries()) readInto(kubeConfig, file, index === 0, own)
  const source = files.join(delimiter)
  if (options.context !== undefined) kubeConfig.setCurrentContext(options.context)
  const user = checkContext(kubeConfig, source)
  const { impersonation, tokenFile = takeTokenFile(user) } = own.get(user.name) ?? {}
  // tokenFile wins over token, as in kubectl
  if (tokenFile !== undefined) Object.assign(user, { token: undefined, authProvider: undefined })
  if (impersonation !== undefined) Object.assign(user, { impersonateUser: undefined })
  return { kubeConfig, source, tokenFile, impersonation }
}

/** `undefined` means: in the cluster. */
function kubeconfigFiles(options: ConfigOptions, env: Environment): string[] | undefined {
  if (options.inCluster) return undefined
  if (options.kubeconfig !== undefined) return [resolve(options.kubeconfig)]
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  if (listed.length > 0) {
    // kubectl skips listed files that do not exist
    const present = listed.filter((file) => existsSync(file))
    return (present.length > 0 ? present : listed).map((file) => resolve(file))
  }
  const home = env.HOME === undefined ? undefined : join(env.HOME, '.kube', 'config')
  if (home !== undefined && existsSync(home)) return [home]
  if (env.KUBERNETES_SERVICE_HOST !== undefined) return undefined
  throw invalid(
    `no kubeconfig found${home === undefined ? '' : ` at \`${home}\``}; pass --kubeconfig or set KUBECONFIG`,
  )
}

function readInCluster(env: Environment): Loaded {
  const tokenFile = `${serviceAccount}/token`
  if (env.KUBERNETES_SERVICE_HOST === undefined || !existsSync(tokenFile)) {
    throw invalid(
      `not inside a cluster: KUBERNETES_SERVICE_HOST and \`${tokenFile}\` are needed; pass --kubeconfig instead`,
    )
  }
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromCluster()
  const user = checkContext(kubeConfig, 'in-cluster')
  return {
    ...{ kubeConfig, source: 'in-cluster', tokenFile: takeTokenFile(user) },
    impersonation: undefined,
  }
}

function readInto(
  into: KubeConfig,
  file: string,
  first: boolean,
  own: Map<string, OwnFields>,
): void {
  const text = readText(file)
  collectOwnFields(parseYaml(file, text), file, own)
  try {
    const part = first ? into : new KubeConfig()
    part.loadFromString(text)
    part.makePathsAbsolute(dirname(file))
    if (!first) into.mergeConfig(part, true)
  } catch (cause) {
    throw invalid(`the kubeconfig \`${file}\` cannot be used: ${reason(cause)}; correct it`, cause)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (isRecord(cause) && cause.code === 'ENOENT') {
      throw invalid(
        `the kubeconfig \`${file}\` does not exist; pass --kubeconfig or set KUBECONFIG`,
        cause,
      )
    }
    throw invalid(
      `the kubeconfig \`${file}\` cannot be read: ${reason(cause)}; check its permissions`,
      cause,
    )
  }
}

function parseYaml(file: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = loadYaml(text)
  } catch (cause) {
    throw invalid(`the kubeconfig \`${file}\` is not YAML: ${reason(cause)}; correct it`, cause)
  }
  if (!isRecord(value) || !Array.isArray(value.clusters) || !Array.isArray(value.contexts)) {
    throw invalid(
      `the kubeconfig \`${file}\` has no clusters and contexts; write one with \`kubectl config\``,
    )
  }
  return value
}

/** What the official client reads wrongly or not at all. */
interface OwnFields {
  readonly tokenFile?: string
  readonly impersonation?: Impersonation
}

const userFields = z.object({
  name: z.string(),
  user: z.object({
    tokenFile: z.string().optional(),
    as: z.string().optional(),
    'as-groups': z.array(z.string()).optional(),
    'as-uid': z.string().optional(),
    'as-user-extra': z.record(z.string(), z.array(z.string())).optional(),
  }),
})

function collectOwnFields(
  config: Readonly<Record<string, unknown>>,
  file: string,
  into: Map<string, OwnFields>,
): void {
  const users: readonly unknown[] = Array.isArray(config.users) ? config.users : []
  for (const entry of users) {
    if (!isRecord(entry) || typeof entry.name !== 'string' || !isRecord(entry.user)) continue
    const read = userFields.safeParse(entry)
    if (!read.success) {
      const path = read.error.issues[0]?.path.join('.') ?? ''
      throw invalid(
        `\`${path}\` of user \`${entry.name}\` in \`${file}\` has the wrong form; correct it`,
      )
    }
    const { tokenFile, ...who } = read.data.user
    const impersonation = impersonationOf(who, entry.name, file)
    // of two files that name one user the first counts, as in kubectl
    if (into.has(entry.name)) continue
    into.set(entry.name, {
      ...(tokenFile !== undefined && { tokenFile: resolve(dirname(file), tokenFile) }),
      ...(impersonation && { impersonation }),
    })
  }
}

function impersonationOf(
  who: Omit<z.infer<typeof userFields>['user'], 'tokenFile'>,
  name: string,
  file: string,
): Impersonation | undefined {
  const { as: username, 'as-groups': groups, 'as-uid': uid, 'as-user-extra': extra } = who
  if (username !== undefined) {
    return { username, ...(groups && { groups }), ...(uid && { uid }), ...(extra && { extra }) }
  }
  // as kubectl, which refuses the request
  if (groups === undefined && uid === undefined && extra === undefined) return undefined
  throw invalid(`user \`${name}\` in \`${file}\` impersonates groups and nobody; add \`as\``)
}

type User = NonNullable<ReturnType<KubeConfig['getCurrentUser']>>

/** Refuses what the official client would quietly replace by a default. */
function checkContext(kubeConfig: KubeConfig, source: string): User {
  const name = kubeConfig.getCurrentContext()
  if (!name)
    throw invalid(`the kubeconfig \`${source}\` has no current-context; set it or pass --context`)
  const context = kubeConfig.getContexts().find((one) => one.name === name)
  if (context === undefined) {
    const known = kubeConfig.getContexts().map((one) => one.name)
    throw invalid(
      `the kubeconfig \`${source}\` has no context \`${name}\`; use one of: ${known.join(', ') || 'none'}`,
    )
  }
  const cluster = kubeConfig.getCurrentCluster()
  if (cluster === null) {
    throw invalid(
      `the kubeconfig \`${source}\` has no cluster \`${context.cluster}\`, named by context \`${name}\`; add it`,
    )
  }
  const user = kubeConfig.getCurrentUser()
  if (user === null) {
    throw invalid(
      `the kubeconfig \`${source}\` has no user \`${context.user ?? ''}\`, named by context \`${name}\`; add it`,
    )
  }
  return user
}

/** In a cluster the official client puts the Pod's token file here and sends its line end along. */
function takeTokenFile(user: User): string | undefined {
  const provider: unknown = user.authProvider
  if (!isRecord(provider) || !isRecord(provider.config)) return undefined
  const { tokenFile } = provider.config
  if (typeof tokenFile !== 'string') return undefined
  Object.assign(user, { authProvider: undefined })
  return tokenFile
}

function invalid(message: string, cause?: unknown): JackstayError {
  return new JackstayError('invalid_config', message, { cause })
}

function reason(cause: unknown): string {
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
}
