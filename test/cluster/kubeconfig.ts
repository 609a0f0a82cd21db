import { readFile, writeFile } from 'node:fs/promises'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import type { CertifiedKey } from './certificates.ts'

export type Credentials =
  | { readonly certificate: CertifiedKey }
  | { readonly tokenFile: string }
  | { readonly token: string }

export type KubeconfigFields = {
  readonly server: string
  readonly caPem: string
  readonly user: string
  readonly credentials: Credentials
}

function kubeconfigText({ server, caPem, user, credentials }: KubeconfigFields): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'jackstay', cluster: { server, 'certificate-authority-data': base64(caPem) } },
    ],
    users: [{ name: user, user: userFields(credentials) }],
    contexts: [{ name: 'jackstay', context: { cluster: 'jackstay', user } }],
    'current-context': 'jackstay',
  })
}

function userFields(credentials: Credentials): Record<string, string> {
  if ('tokenFile' in credentials) return { tokenFile: credentials.tokenFile }
  if ('token' in credentials) return { token: credentials.token }
  const { certificatePem, privateKeyPem } = credentials.certificate
  return {
    'client-certificate-data': base64(certificatePem),
    'client-key-data': base64(privateKeyPem),
  }
}

/** Writes a kubeconfig that only its owner can read. */
export async function writeKubeconfigFile(path: string, fields: KubeconfigFields): Promise<string> {
  await writeFile(path, kubeconfigText(fields), { mode: 0o600 })
  return path
}

const clusterEntry = z.object({
  clusters: z
    .array(
      z.object({
        name: z.string(),
        cluster: z.object({
          server: z.string(),
          'certificate-authority-data': z.string().optional(),
          'certificate-authority': z.string().optional(),
        }),
      }),
    )
    .min(1),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string() }) })),
  'current-context': z.string(),
})

/** Where a kubeconfig's current context points to. */
export async function readServer(path: string): Promise<{ server: string; caPem: string }> {
  const config = clusterEntry.parse(parse(await readFile(path, 'utf8')))
  const context = config.contexts.find(({ name }) => name === config['current-context'])
  const entry = config.clusters.find(({ name }) => name === context?.context.cluster)
  if (entry === undefined) {
    throw new Error(`the current context of \`${path}\` names no cluster, set it with kubectl`)
  }
  const { server, ...authority } = entry.cluster
  const data = authority['certificate-authority-data']
  const file = authority['certificate-authority']
  if (data !== undefined) return { server, caPem: Buffer.from(data, 'base64').toString() }
  return { server, caPem: file === undefined ? '' : await readFile(file, 'utf8') }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
