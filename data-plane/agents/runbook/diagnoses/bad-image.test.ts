import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crashing, type Scene, sceneOf, waitingFor } from '../scenes.ts'
import { diagnose } from './diagnose.ts'

const incident: Scene = {
  current: { image: 'registry/app:latst' },
  pods: [waitingFor('ImagePullBackOff', 'manifest unknown')],
}
const saying = (message: string, reason = 'ImagePullBackOff'): Scene => ({
  pods: [waitingFor(reason, message)],
})

/** As container runtimes and registries word it. */
const noSuchImage = [
  'Back-off pulling image "registry/app:latst": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "registry/app:latst": failed to resolve reference: not found',
  'manifest for registry/app:latst not found: manifest unknown: manifest unknown',
  'reading manifest latst in registry/app: manifest_unknown',
  'repository name not known to registry: NAME_UNKNOWN',
  'Error response from daemon: No such image: registry/app:latst',
]

/** None of these says that the image does not exist. */
const notTheImage = [
  'Back-off pulling image "r.example/app:3": ErrImagePull: failed to pull and unpack image "r.example/app:3": failed to resolve reference "r.example/app:3": failed to do request: Head "https://r.example/v2/app/manifests/3": dial tcp: lookup r.example: Temporary failure in name resolution',
  'failed to do request: Head "https://registry/v2/app/manifests/2": dial tcp: lookup registry: no such host',
  'failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized',
  'pull access denied for app, repository does not exist or may require authorization',
  'toomanyrequests: You have reached your pull rate limit',
  'net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
  'dial tcp 10.0.0.1:443: connect: connection refused',
  'tls: failed to verify certificate: x509: certificate has expired',
  'unexpected status from HEAD request: 503 Service Unavailable',
  'read: connection reset by peer',
  'not found, because the proxy timed out',
]

const escalated: [string, Scene, string][] = [
  ['the revision before named the same image', { current: {} }, 'evidence_contradicts'],
  [
    'old Pods cannot pull either',
    { oldPods: [waitingFor('ErrImagePull', 'not found')] },
    'cause_outside',
  ],
  ['nothing tells why', saying('Back-off pulling image "registry/app:latst"'), 'evidence_missing'],
  [
    'one of two Pods tells another reason',
    { pods: [waitingFor('ErrImagePull', 'not found'), waitingFor('ErrImagePull', 'boom')] },
    'evidence_missing',
  ],
  ['no old Pod is left', { serving: 0 }, 'evidence_missing'],
  ['another Pod crashes', { pods: [...(incident.pods ?? []), crashing()] }, 'several_incidents'],
  [
    'the kubelet names a reason this runbook does not know',
    { pods: [waitingFor('SignatureValidationFailed', 'not found')] },
    'unexplained',
  ],
]

describe('a bad image tag of a new revision', () => {
  const scenes: [string, Scene][] = [
    ...noSuchImage.map((text): [string, Scene] => [text, saying(text)]),
    ['never pulled and not on the node', saying('', 'ErrImageNeverPull')],
    ['no name of an image', saying('couldn’t parse image name', 'InvalidImageName')],
  ]
  for (const [name, scene] of scenes) {
    it(`goes back: ${name.slice(0, 60)}`, () => {
      const diagnosis = diagnose(sceneOf({ ...incident, ...scene }))
      assert.ok(diagnosis.kind === 'propose', JSON.stringify(diagnosis))
      assert.equal(diagnosis.action, 'workload.rollback')
      assert.deepEqual(diagnosis.params, { revision: 1 })
      assert.match(
        diagnosis.summary,
        /container app names registry\/app:latst instead of registry\/app:1/,
      )
    })
  }

  for (const text of notTheImage) {
    it(`is left alone where the cause is outside: ${text.slice(0, 60)}`, () => {
      const diagnosis = diagnose(sceneOf({ ...incident, ...saying(text) }))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, 'cause_outside')
    })
  }

  for (const [name, scene, reason] of escalated) {
    it(`is for a person where ${name}`, () => {
      const diagnosis = diagnose(sceneOf({ ...incident, ...scene }))
      assert.ok(diagnosis.kind === 'escalate', JSON.stringify(diagnosis))
      assert.equal(diagnosis.reason, reason, diagnosis.message)
    })
  }

  it('takes nothing from the name of an image (T61)', () => {
    const text = 'Back-off pulling image "r.example/manifest_unknown:not-found"'
    const diagnosis = diagnose(sceneOf({ ...incident, ...saying(text) }))
    assert.ok(diagnosis.kind === 'escalate' && diagnosis.reason === 'evidence_missing')
  })

  it('a digest or a number inside a name is no HTTP status', () => {
    const text = `failed to resolve reference "r.example/app:500@sha256:4010": not found`
    assert.equal(diagnose(sceneOf({ ...incident, ...saying(text) })).kind, 'propose')
  })
})
