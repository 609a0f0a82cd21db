import { X509Certificate } from 'node:crypto'
import {
  type CertifiedKey,
  createAuthority,
  issueCertificate,
} from '@jackstay/cluster/certificates'

/** What the lab's server shows and what it knows users by. */
export interface LabCertificates {
  /** Signs users' certificates too; both belong with the lab's data. */
  readonly authority: CertifiedKey
  readonly server: CertifiedKey
}

const serviceNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']

const weekMs = 7 * 24 * 3_600_000

/**
 * With an authority of before, only the server's certificate is made anew, so that kubeconfigs handed out
 * stay good; not with one that ends within a week. `now` in milliseconds since the epoch.
 */
export async function labCertificates(
  now: number,
  authority?: CertifiedKey,
): Promise<LabCertificates> {
  const ends = authority && new X509Certificate(authority.certificatePem).validToDate.getTime()
  const isGood = ends !== undefined && ends > now + weekMs
  const known = authority && isGood ? authority : await createAuthority('jackstay-lab-authority')
  const server = await issueCertificate(known, {
    // another name than the authority's, or clients take it for self-signed
    user: 'jackstay-lab',
    usages: ['server'],
    dnsNames: ['localhost', ...serviceNames],
    addresses: ['127.0.0.1', '::1'],
  })
  return { authority: known, server }
}

/** A certificate that the lab's server takes for this user in these groups. */
export function userCertificate(
  { authority }: LabCertificates,
  user: string,
  groups: readonly string[] = [],
): Promise<CertifiedKey> {
  return issueCertificate(authority, { user, groups, usages: ['client'] })
}
