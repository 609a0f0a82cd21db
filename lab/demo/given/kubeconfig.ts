import { readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'

const fields = z.record(z.string(), z.unknown())
const name = z.string()
const kubeconfig = z.looseObject({
  clusters: z.array(z.looseObject({ name, cluster: fields })),
  users: z.array(z.looseObject({ name, user: fields })),
  contexts: z.array(
    z.looseObject({ name, context: z.looseObject({ cluster: z.string(), user: z.string() }) }),
  ),
  'current-context': z.string().optional(),
})

type Fields = Readonly<Record<string, unknown>>

/** One context of somebody's kubeconfig, to write others from. */
export interface Context {
  readonly name: string
  readonly server: string
  /** As the context itself, or as somebody it may impersonate. */
  write(
    path: string,
    as?: { readonly user: string; readonly groups: readonly string[] },
  ): Promise<string>
  /** As whoever the token in a file belongs to. */
  writeForToken(path: string, tokenFile: string): Promise<string>
}

/** Reads a context. @throws Error that names the file and what to correct */
export async function readContext(path: string, wanted: string | undefined): Promise<Context> {
  const content = await readFile(path, 'utf8').catch((cause: unknown) => {
    const why = cause instanceof Error && 'code' in cause ? cause.code : cause
    throw new Error(`\`${path}\` cannot be read (${why}); correct --kubeconfig`, { cause })
  })
  const config = kubeconfig.safeParse(parse(content))
  if (!config.success)
    throw new Error(`\`${path}\` is no kubeconfig with clusters, users and contexts`)
  const { clusters, users, contexts, 'current-context': current } = config.data
  const name = wanted ?? current
  const context = contexts.find((one) => one.name === name)?.context
  if (name === undefined || context === undefined) {
    const known = contexts.map((one) => one.name).join(', ')
    throw new Error(
      `\`${path}\` has no context \`${name ?? ''}\`; pass --context with one of: ${known}`,
    )
  }
  const found = { cluster: context.cluster, user: context.user }
  const cluster = absolute(clusters.find((one) => one.name === found.cluster)?.cluster, path)
  const user = absolute(users.find((one) => one.name === found.user)?.user, path)
  if (cluster === undefined || user === undefined) {
    throw new Error(
      `the context \`${name}\` of \`${path}\` names a cluster or user that is not in it`,
    )
  }
  const write = async (to: string, who: Fields) => {
    await writeFile(to, text(cluster, who), { mode: 0o600 })
    return to
  }
  return {
    name,
    server: String(cluster.server),
    write: (to, as) =>
      write(to, as === undefined ? user : { ...user, as: as.user, 'as-groups': as.groups }),
    writeForToken: (to, tokenFile) => write(to, { tokenFile }),
  }
}

/** Files that a kubeconfig names, by the keys that name them. */
const paths = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

function absolute(given: unknown, file: string): Fields | undefined {
  const read = fields.safeParse(given)
  if (!read.success) return undefined
  const entries = Object.entries(read.data).map(([key, value]) => [
    key,
    paths.includes(key) && typeof value === 'string' ? resolve(dirname(file), value) : value,
  ])
  return Object.fromEntries(entries)
}

function text(cluster: Fields, user: Fields): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'given', cluster }],
    users: [{ name: 'demo', user }],
    contexts: [{ name: 'demo', context: { cluster: 'given', user: 'demo' } }],
    'current-context': 'demo',
  })
}
