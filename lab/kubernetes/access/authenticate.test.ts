import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { connect, createServer, TLSSocket } from 'node:tls'
import type { User } from '../objects.ts'
import { isStatus, type Status } from '../status.ts'
import { authenticate } from './authenticate.ts'
import { type LabCertificates, labCertificates, userCertificate } from './certificates.ts'

const anna: User = { username: 'anna', groups: ['blue'], extra: {} }
const believes = async (token: string) =>
  token === 'good' ? { user: anna, audiences: [] } : { error: 'no' }

/** Whom a TLS server with the lab's certificates takes somebody for. */
async function seen(
  lab: LabCertificates,
  shown: LabCertificates | undefined,
): Promise<User | Status> {
  const { certificatePem: ca } = lab.authority
  const { certificatePem: cert, privateKeyPem: key } = lab.server
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const own = shown && (await userCertificate(shown, 'anna', ['blue', 'green']))
  const client = connect({
    ...{ host: '127.0.0.1', port, ca },
    ...(own && { cert: own.certificatePem, key: own.privateKeyPem }),
  })
  // what a client hears after its server went away is no part of the test
  client.on('error', () => undefined)
  try {
    const [socket] = await once(server, 'secureConnection', { signal: AbortSignal.timeout(60_000) })
    assert.ok(socket instanceof TLSSocket)
    client.once('close', () => socket.destroy())
    const certificate = socket.getPeerCertificate()
    const given = certificate.raw === undefined ? {} : { certificate }
    return await authenticate({ ...given, isCertified: socket.authorized }, believes)
  } finally {
    client.destroy()
    server.close()
  }
}

describe('who asks the lab', () => {
  it('is whom a certificate of its authority names', async () => {
    const lab = await labCertificates(Date.now())
    const user = await seen(lab, lab)
    assert.ok(!isStatus(user))
    assert.equal(user.username, 'anna')
    assert.deepEqual(user.groups, ['blue', 'green', 'system:authenticated'])
  })

  it('is not whom another authority names, and nobody without any', async () => {
    const lab = await labCertificates(Date.now())
    const refused = await seen(lab, await labCertificates(Date.now()))
    assert.ok(isStatus(refused) && refused.code === 401)
    assert.deepEqual(await seen(lab, undefined), {
      username: 'system:anonymous',
      groups: ['system:unauthenticated'],
      extra: {},
    })
  })

  it('is whom a bearer token names', async () => {
    const by = (authorization: string) => authenticate({ authorization }, believes)
    const known = { ...anna, groups: ['blue', 'system:authenticated'] }
    assert.deepEqual(await by('Bearer good'), known)
    assert.deepEqual(await by(' bearer good more'), known)
    const refused = await by('Bearer bad')
    assert.ok(isStatus(refused) && refused.code === 401)
    for (const none of ['Bearer', 'Bearer ', 'Basic good', '']) {
      const user = await by(none)
      assert.ok(!isStatus(user) && user.username === 'system:anonymous', none)
    }
  })

  it('keeps its authority until the last week of it', async () => {
    const day = 24 * 3_600_000
    const { authority } = await labCertificates(Date.now())
    const after = async (days: number) =>
      (await labCertificates(Date.now() + days * day, authority)).authority
    assert.equal(await after(22), authority)
    assert.notEqual(await after(24), authority)
  })
})
