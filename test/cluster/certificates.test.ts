import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { createAuthority, issueCertificate } from './certificates.ts'

test('a client certificate names user and groups and is signed by its authority', async () => {
  const authority = await createAuthority('test authority')
  const issued = await issueCertificate(authority, {
    user: 'system:node:one, two',
    groups: ['system:nodes', 'a+b'],
    usages: ['client'],
  })
  const certificate = new X509Certificate(issued.certificatePem)
  const issuer = new X509Certificate(authority.certificatePem)
  assert.ok(certificate.verify(issuer.publicKey))
  assert.ok(certificate.checkIssued(issuer))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(issued.privateKeyPem)))
  assert.equal(certificate.ca, false)
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  const { CN, O } = certificate.toLegacyObject().subject
  assert.equal(CN, 'system:node:one, two')
  assert.deepEqual(O, ['system:nodes', 'a+b'])
})

test('a serving certificate is good for its names and addresses and no others', async () => {
  const authority = await createAuthority('test authority')
  const issued = await issueCertificate(authority, {
    user: 'server',
    usages: ['server'],
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1', '10.96.0.1'],
  })
  const certificate = new X509Certificate(issued.certificatePem)
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  assert.equal(certificate.checkIP('10.96.0.1'), '10.96.0.1')
  assert.equal(certificate.checkIP('10.96.0.2'), undefined)
})

test('certificates are valid now and no two share a serial number', async () => {
  const authority = await createAuthority('test authority')
  const subject = { user: 'anna', usages: ['client'] } as const
  const [one, two] = await Promise.all([1, 2].map(() => issueCertificate(authority, subject)))
  assert.ok(one !== undefined && two !== undefined)
  const certificate = new X509Certificate(one.certificatePem)
  assert.ok(certificate.validFromDate.getTime() < Date.now())
  assert.ok(certificate.validToDate.getTime() > Date.now())
  assert.notEqual(certificate.serialNumber, new X509Certificate(two.certificatePem).serialNumber)
})
