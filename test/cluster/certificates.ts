import './reflect-metadata.ts'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A certificate and its key, both as PEM. */
export type CertifiedKey = { readonly certificatePem: string; readonly privateKeyPem: string }

/** Who a certificate is for and what it is good for. */
export type Subject = {
  /** Common name; for Kubernetes the user's name. */
  readonly user: string
  /** Organisations; for Kubernetes the user's groups. */
  readonly groups?: readonly string[]
  readonly usages: readonly ('client' | 'server')[]
  readonly dnsNames?: readonly string[]
  readonly addresses?: readonly string[]
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const LIFETIME_MS = 30 * 24 * 3_600_000
// machines whose clocks differ a little must accept a certificate made just now
const BACKDATED_MS = 3_600_000

/** A self-signed certificate authority of its own, good for 30 days. */
export async function createAuthority(commonName: string): Promise<CertifiedKey> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: distinguishedName({ user: commonName }),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return certifiedKey(certificate, keys)
}

/** A certificate with a fresh key, signed by the authority, good for 30 days. */
export async function issueCertificate(
  authority: CertifiedKey,
  subject: Subject,
): Promise<CertifiedKey> {
  const issuer = new x509.X509Certificate(authority.certificatePem)
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: distinguishedName(subject),
    issuer: issuer.subjectName.toJSON(),
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.privateKeyPem),
    signingAlgorithm: ALGORITHM,
    extensions: leafExtensions(subject),
  })
  return certifiedKey(certificate, keys)
}

/** A certificate request with a fresh key, for an authority that is asked through an API. */
export async function createRequest(
  subject: Pick<Subject, 'user' | 'groups'>,
): Promise<{ requestPem: string; privateKeyPem: string }> {
  const keys = await generateKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: distinguishedName(subject),
    keys,
    signingAlgorithm: ALGORITHM,
  })
  return { requestPem: `${request.toString('pem')}\n`, privateKeyPem: await privateKeyPem(keys) }
}

/** A key pair that signs tokens, as PEM. */
export async function createSigningKey(): Promise<{ privateKeyPem: string; publicKeyPem: string }> {
  const keys = await generateKeys()
  const publicKey = await webcrypto.subtle.exportKey('spki', keys.publicKey)
  return {
    privateKeyPem: await privateKeyPem(keys),
    publicKeyPem: x509.PemConverter.encode(publicKey, 'PUBLIC KEY'),
  }
}

function leafExtensions({ usages, dnsNames = [], addresses = [] }: Subject): x509.Extension[] {
  const purposes = usages.map((usage) =>
    usage === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
  )
  const names: x509.JsonGeneralName[] = [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...addresses.map((value) => ({ type: 'ip', value }) as const),
  ]
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(purposes),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ]
}

// as a list, since names such as `CN=a,O=b` would have to be escaped in a text
function distinguishedName({ user, groups = [] }: Pick<Subject, 'user' | 'groups'>): x509.JsonName {
  return [...groups.map((group) => ({ O: [group] })), { CN: [user] }]
}

function validity(): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const now = Date.now()
  const random = Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')
  return {
    // the leading byte keeps the number positive and its length fixed
    serialNumber: `01${random}`,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + LIFETIME_MS),
  }
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem)
  if (der === undefined) throw new Error('the text holds no private key in PEM')
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign'])
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return x509.PemConverter.encode(der, 'PRIVATE KEY')
}

async function certifiedKey(
  certificate: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<CertifiedKey> {
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    privateKeyPem: `${await privateKeyPem(keys)}\n`,
  }
}
