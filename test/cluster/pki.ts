import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CertifiedKey,
  createAuthority,
  createSigningKey,
  issueCertificate,
  type Subject,
} from './certificates.ts'
import { writeKubeconfigFile } from './kubeconfig.ts'
import type { Layout } from './layout.ts'
import { apiServiceAddress } from './subnet.ts'

/** Writes the cluster's authorities, the certificates of its programs, and their kubeconfigs. */
export async function writePki(layout: Layout): Promise<void> {
  await mkdir(join(layout.directory, 'pki'), { recursive: true, mode: 0o700 })
  const [cluster, frontProxy, etcd, serviceAccounts] = await Promise.all([
    createAuthority('jackstay-cluster'),
    createAuthority('jackstay-front-proxy'),
    createAuthority('jackstay-etcd'),
    createSigningKey(),
  ])
  const issue = async (name: string, authority: CertifiedKey, subject: Subject) => {
    const issued = await issueCertificate(authority, subject)
    await writePair(layout, name, issued)
    return issued
  }
  await Promise.all([
    writePair(layout, 'ca', cluster),
    writePair(layout, 'front-proxy-ca', frontProxy),
    writePair(layout, 'etcd-ca', etcd),
    writeFile(layout.pki('service-account.key'), serviceAccounts.privateKeyPem, { mode: 0o600 }),
    writeFile(layout.pki('service-account.pub'), serviceAccounts.publicKeyPem),
    issue('etcd', etcd, { ...loopback, user: 'etcd', usages: ['server', 'client'] }),
    issue('apiserver-etcd', etcd, { user: 'kube-apiserver', usages: ['client'] }),
    issue('front-proxy-client', frontProxy, { user: 'front-proxy-client', usages: ['client'] }),
    ...servers(layout).map(({ name, subject }) => issue(name, cluster, subject)),
    ...users(layout).map(async ({ name, server, subject, path }) => {
      const certificate = await issue(name, cluster, subject)
      const caPem = cluster.certificatePem
      const fields = { server, caPem, user: subject.user, credentials: { certificate } }
      await writeKubeconfigFile(path, fields)
    }),
  ])
}

const loopback = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] }

function servers({ subnet, nodeName }: Layout): { name: string; subject: Subject }[] {
  const service = 'kubernetes.default.svc'
  const addresses = ['127.0.0.1', apiServiceAddress, ...(subnet ? [subnet.nodeAddress] : [])]
  const apiServer: Subject = {
    user: 'kube-apiserver',
    usages: ['server'],
    dnsNames: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      service,
      `${service}.cluster.local`,
    ],
    addresses,
  }
  const kubeletClient: Subject = {
    user: 'kube-apiserver-kubelet-client',
    groups: ['system:masters'],
    usages: ['client'],
  }
  const kubelet: Subject = {
    user: `system:node:${nodeName}`,
    groups: ['system:nodes'],
    usages: ['server'],
    dnsNames: [nodeName],
    addresses,
  }
  return [
    { name: 'apiserver', subject: apiServer },
    { name: 'apiserver-kubelet', subject: kubeletClient },
    ...(subnet ? [{ name: 'kubelet-server', subject: kubelet }] : []),
  ]
}

type User = { name: string; server: string; path: string; subject: Subject }

function users({ subnet, nodeName, server, ports, kubeconfig, kubeconfigOf }: Layout): User[] {
  // the programs find the server beside them, others by the cluster's address
  const local = `https://127.0.0.1:${ports.api}`
  const program = (name: string, user: string, groups: readonly string[] = []): User => ({
    name,
    server: local,
    path: kubeconfigOf(name),
    subject: { ...loopback, user, groups, usages: ['client', 'server'] },
  })
  const admin: Subject = { user: 'admin', groups: ['system:masters'], usages: ['client'] }
  return [
    { name: 'admin', server, path: kubeconfig, subject: admin },
    program('controller-manager', 'system:kube-controller-manager'),
    program('scheduler', 'system:kube-scheduler'),
    ...(subnet
      ? [
          program('kubelet', `system:node:${nodeName}`, ['system:nodes']),
          program('kube-proxy', 'system:kube-proxy'),
          program('coredns', 'system:coredns'),
        ]
      : []),
  ]
}

async function writePair(
  { pki }: Layout,
  name: string,
  { certificatePem, privateKeyPem }: CertifiedKey,
): Promise<void> {
  await writeFile(pki(`${name}.crt`), certificatePem)
  await writeFile(pki(`${name}.key`), privateKeyPem, { mode: 0o600 })
}

/** The cluster's authority, for certificates of users that a test makes up. */
export async function readAuthority(directory: string): Promise<CertifiedKey> {
  const read = (file: string) => readFile(join(directory, 'pki', file), 'utf8')
  return { certificatePem: await read('ca.crt'), privateKeyPem: await read('ca.key') }
}
