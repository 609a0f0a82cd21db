import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { namesSecret, withoutSecrets } from './secret-shapes.ts'

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString()
const base64 = (text: string) => Buffer.from(text).toString('base64url')
const jwt = `${base64('{"alg":"EdDSA","typ":"JWT"}')}.${base64('{"sub":"somebody"}')}.${base64('signature-bytes')}`
const random = 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5'
// in parts, so that no scanner takes this file for a leak
const prefixed = (prefix: string) => `${prefix}${random}`

/** Texts, and what must not be left of them. */
const cases: readonly (readonly [string, string])[] = [
  [`key:\n${pem}after`, pem.toString().split('\n')[1] ?? ''],
  [rsa, rsa.split('\n')[3] ?? ''],
  [`cut off ${rsa.slice(0, 300)}`, rsa.split('\n')[2] ?? ''],
  [rsa.slice(200), rsa.split('\n')[5] ?? ''],
  [`GET / with ${jwt} failed`, jwt.slice(-20)],
  [`Authorization: Bearer ${random}`, random],
  [`{"authorization":"Basic ${random}"}`, random],
  [`curl -H 'authorization: Digest ${random}'`, random],
  ['Set-Cookie: session=abcdefgh; Path=/', 'abcdefgh'],
  ['DB_PASSWORD=hunter2', 'hunter2'],
  ['password: "hunter2 and more"', 'hunter2'],
  ["{'client_secret': 'hunter2'}", 'hunter2'],
  ['{\\"apiKey\\":\\"hunter2\\"}', 'hunter2'],
  ['connect --password hunter2 --verbose', 'hunter2'],
  ['connect --db-password=hunter2,x', 'hunter2'],
  ['dial postgres://app:hunter2@db:5432/shop', 'hunter2'],
  ['AWS_SECRET_ACCESS_KEY=hunter2/hunter2', 'hunter2'],
  [prefixed('ghp_'), random],
  [prefixed('github_pat_'), random],
  [prefixed('glpat-'), random],
  [prefixed('xoxb-'), random],
  [prefixed('npm_'), random],
  [prefixed('hvs.'), random],
  [prefixed('sk-proj-'), random],
  [`key ${'AKIA'}ABCDEFGHIJKLMNOP used`, 'ABCDEFGHIJKLMNOP'],
  [`AIza${random}`, random],
  [`lonely ${random}${random}`, random],
]

describe('withoutSecrets', () => {
  it('T38 takes known shapes out', () => {
    for (const [text, secret] of cases) {
      assert.ok(text.includes(secret) && secret.length > 5, text)
      const clean = withoutSecrets(text)
      assert.ok(!clean.text.includes(secret), `${text} → ${clean.text}`)
      assert.ok(clean.withheld > 0, text)
    }
  })

  it('leaves what a diagnosis needs', () => {
    const texts = [
      'Back-off restarting failed container app in pod web-6d5f9c7b8-x2x4q_shop(22222222-2222-4222-8222-222222222222)',
      `Pulled image "app@sha256:${'a1'.repeat(32)}" in 3.2s`,
      'Scaled down replica set web-2 from 4 to 0',
      'secret "db" not found',
      'MountVolume.SetUp failed for volume "token" : secret "token-x" not found',
      'dial tcp 10.0.0.1:5432: connect: connection refused',
      '0/3 nodes are available: 3 Insufficient cpu. preemption: not eligible',
      'GET https://db.shop.svc.cluster.local:8443/health?deep=1 503',
      'password=*** token: null secret=[redacted]',
      '/var/lib/kubelet/pods/22222222-2222-4222-8222-222222222222/volumes',
      '-----BEGIN CERTIFICATE-----',
    ]
    for (const text of texts) assert.deepEqual(withoutSecrets(text), { text, withheld: 0 })
  })

  it('keeps lines, and does nothing to what it cleaned', () => {
    const part = fc.oneof(
      fc.constantFrom(...cases.map(([text]) => text)),
      fc.string({ unit: 'binary', maxLength: 40 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const given = parts.join('\n')
        const { text } = withoutSecrets(given)
        assert.equal(text.split('\n').length, given.split('\n').length)
        assert.equal(withoutSecrets(text).text, text)
      }),
    )
  })
})

describe('namesSecret', () => {
  it('knows names that speak of secrets', () => {
    for (const field of ['dbPassword', 'API_KEY', 'x-token', 'clientSecret']) {
      assert.ok(namesSecret(field), field)
    }
    for (const field of ['app', 'tier', 'deployment.kubernetes.io/revision']) {
      assert.ok(!namesSecret(field), field)
    }
  })
})
