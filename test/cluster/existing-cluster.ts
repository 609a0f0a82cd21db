import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createRequest } from './certificates.ts'
import type { Cluster, KubeconfigOwner } from './cluster.ts'
import { type KubeconfigFields, readServer, writeKubeconfigFile } from './kubeconfig.ts'
import type { Mode } from './layout.ts'
import { programOnPath } from './on-path.ts'
import { run } from './process.ts'

const ISSUED_MS = 30_000

/**
 * A cluster that somebody else has brought up for tests, by the kubeconfig of its administrator. It is
 * used as it is: its API server and its node belong to whoever runs it.
 */
export async function existingCluster(kubeconfig: string, mode: Mode): Promise<Cluster> {
  const kubectl = programOnPath('kubectl') ?? 'kubectl'
  const { server, caPem } = await readServer(kubeconfig)
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-cluster-'))
  const ask: Kubectl = (args, input = '') =>
    run([kubectl, '--kubeconfig', kubeconfig, ...args], { input, timeoutMs: 60_000 })
  const nodes = await ask(['get', 'nodes', '--output', 'jsonpath={.items[*].metadata.name}'])
  const [nodeName] = nodes.split(' ').filter(Boolean)
  const refuse = (what: string) => async () => {
    throw new Error(
      `${what} is not possible on a given cluster, unset JACKSTAY_TEST_KUBECONFIG to have one made`,
    )
  }
  const issue = async ({ name, user, groups = [], path }: KubeconfigOwner) => {
    const certificate = await approvedCertificate(ask, user, groups)
    const fields: KubeconfigFields = { server, caPem, user, credentials: { certificate } }
    return writeKubeconfigFile(path ?? join(directory, `${name}.user.kubeconfig`), fields)
  }
  return {
    ...{ name: 'given', mode, directory, kubeconfig, server, caPem, kubectl, controllers: true },
    auditLog: join(directory, 'audit.log'),
    hostAddress: '127.0.0.1',
    ...(nodeName === undefined ? {} : { nodeName }),
    issueKubeconfig: issue,
    writeKubeconfig: ({ path, tokenFile }) =>
      writeKubeconfigFile(path, { server, caPem, user: 'token', credentials: { tokenFile } }),
    stopApiServer: refuse('stopping the API server'),
    startApiServer: refuse('starting the API server'),
    enter: (command) => [...command],
    importImage: refuse('loading an image'),
    down: () => rm(directory, { recursive: true, force: true }),
  }
}

type Kubectl = (args: readonly string[], input?: string) => Promise<string>

// its authority's key is not ours, so a certificate is asked for as a user of the cluster would
async function approvedCertificate(
  ask: Kubectl,
  user: string,
  groups: readonly string[],
): Promise<{ certificatePem: string; privateKeyPem: string }> {
  const { requestPem, privateKeyPem } = await createRequest({ user, groups })
  const name = `jackstay-${randomBytes(6).toString('hex')}`
  const request = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(requestPem).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth', 'digital signature'],
    },
  }
  await ask(['create', '--filename', '-'], JSON.stringify(request))
  try {
    await ask(['certificate', 'approve', name])
    const end = performance.now() + ISSUED_MS
    for (;;) {
      const issued = await ask(['get', 'csr', name, '--output', 'jsonpath={.status.certificate}'])
      if (issued !== '') {
        return { certificatePem: Buffer.from(issued, 'base64').toString(), privateKeyPem }
      }
      if (performance.now() > end) {
        throw new Error(
          `no certificate for \`${user}\` within 30 s, does the cluster sign requests?`,
        )
      }
      await delay(200)
    }
  } finally {
    await ask(['delete', 'csr', name])
  }
}
