import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertifiedKey } from '@jackstay/cluster/certificates'
import { JackstayError } from '@jackstay/contract/errors'
import { controllerAccounts, defaultAccess } from './access/bootstrap.ts'
import { labCertificates, userCertificate } from './access/certificates.ts'
import { createTokenKey, tokenKey } from './access/token-key.ts'
import { privilegedGroup } from './access/user-names.ts'
import { firstObject, type Giving } from './api/prepare.ts'
import { startApiServer } from './api/server.ts'
import { steady } from './clock.ts'
import { serveDefinitions } from './gates/definitions.ts'
import { gatesOf } from './gates/gates.ts'
import { identities } from './identities.ts'
import type { Behaviours } from './node/behaviour.ts'
import { containerLogs } from './node/container-logs.ts'
import { declaredBehaviours, labNamespace } from './node/declared.ts'
import type { KubeObject } from './objects.ts'
import { collectionOf, Registry } from './resources/registry.ts'
import { type Disk, openDisk } from './store/disk.ts'
import { ObjectStore } from './store/store.ts'

export interface KubernetesOptions {
  /** Keys, and the objects where `keep` is asked for. */
  readonly directory: string
  /** Whether objects outlast the process. */
  readonly keep?: boolean
  /** 0 takes a free one. */
  readonly port: number
  /** Milliseconds since the epoch; the real time unless given. */
  readonly now?: () => number
  /** Makes uids and generated names the same in every lab of this seed; drawn by lot without. */
  readonly seed?: string
  readonly onError: (error: unknown) => void
}

export interface Kubernetes {
  readonly url: string
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string
  /** A client certificate for somebody in these groups. */
  certificateOf(user: string, groups: readonly string[]): Promise<CertifiedKey>
  /** Who may do everything. */
  readonly administrator: CertifiedKey
  close(): Promise<void>
}

/** Starts the lab's API server, with what a cluster has from its begin. */
export async function startKubernetes(options: KubernetesOptions): Promise<Kubernetes> {
  const { directory, keep = false, port, onError } = options
  const now = steady(options.now ?? Date.now)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const disk = keep ? openDisk(directory) : undefined
  const store = new ObjectStore(disk)
  const ids = identities(store, options.seed)
  const registry = new Registry()
  const certificates = await unlessDamaged(join(directory, 'authority.crt'), disk, () =>
    labCertificates(now(), kept(directory, 'authority')),
  )
  keepFile(directory, 'authority', certificates.authority)
  const issuer = 'https://kubernetes.default.svc'
  const signing = await unlessDamaged(join(directory, 'tokens.key'), disk, async () =>
    tokenKey(keyIn(directory)),
  )
  const tokens = { key: signing, issuer, audiences: [issuer] }
  serveDefinitions(store, registry, now, onError)
  for (const object of firstObjects()) putFirst(store, registry, object, { ids, now })
  const { rights, ...gates } = gatesOf({ store, registry, tokens, now })
  const { certificatePem: cert, privateKeyPem: key } = certificates.server
  const authority = certificates.authority.certificatePem
  const server = await startApiServer({
    ...{ store, registry, gates, rights, tokens, ids, now, port, onError },
    logs: containerLogs(() => declaredIn(store)),
    tls: { cert, key, ca: authority },
  }).catch((error: unknown) => {
    disk?.close()
    throw error
  })
  const certificateOf = (user: string, groups: readonly string[]) =>
    userCertificate(certificates, user, groups)
  return {
    ...{ url: server.url, authority, certificateOf },
    administrator: await certificateOf('kubernetes-admin', [privilegedGroup]),
    async close() {
      await server.close()
      disk?.close()
    },
  }
}

function declaredIn(store: ObjectStore): Behaviours {
  // kubelets read the same tables, and they complain of one that is wrong
  return declaredBehaviours(store.list('configmaps', labNamespace), () => undefined)
}

const namespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

function firstObjects(): readonly KubeObject[] {
  const kind = { apiVersion: 'v1', kind: 'Namespace' }
  const made = namespaces.map((name) => ({ ...kind, metadata: { name } }))
  return [...made, ...defaultAccess(), ...controllerAccounts()]
}

function putFirst(
  store: ObjectStore,
  registry: Registry,
  object: KubeObject,
  giving: Giving,
): void {
  const { apiVersion = '', kind = '' } = object
  const [group = '', version = ''] = apiVersion.includes('/')
    ? apiVersion.split('/')
    : ['', apiVersion]
  const resource = registry.ofKind(group, version, kind)
  if (resource === undefined) throw new TypeError(`\`${apiVersion} ${kind}\` is not served`)
  const { name = '', namespace = '' } = object.metadata
  const place = { collection: collectionOf(resource), namespace, name }
  if (store.get(place) === undefined) store.put(place, firstObject(resource, object, giving))
}

/** @throws JackstayError `invalid_config` naming the file that does not read */
async function unlessDamaged<T>(
  file: string,
  disk: Disk | undefined,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    disk?.close()
    const message = `\`${file}\` does not read: put it back as it was, or use another folder`
    throw new JackstayError('invalid_config', message, { cause })
  }
}

function kept(directory: string, name: string): CertifiedKey | undefined {
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)]
  if (!existsSync(certificate) || !existsSync(key)) return undefined
  return {
    certificatePem: readFileSync(certificate, 'utf8'),
    privateKeyPem: readFileSync(key, 'utf8'),
  }
}

function keepFile(
  directory: string,
  name: string,
  { certificatePem, privateKeyPem }: CertifiedKey,
): void {
  writeFileSync(join(directory, `${name}.crt`), certificatePem, { mode: 0o600 })
  writeFileSync(join(directory, `${name}.key`), privateKeyPem, { mode: 0o600 })
}

function keyIn(directory: string): string {
  const file = join(directory, 'tokens.key')
  if (existsSync(file)) return readFileSync(file, 'utf8')
  const made = createTokenKey()
  writeFileSync(file, made, { mode: 0o600 })
  return made
}
