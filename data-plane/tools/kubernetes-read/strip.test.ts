import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from '@jackstay/kube/resources'
import fc from 'fast-check'
import { Stripper } from './strip.ts'

const strip = (object: KubeObject) => new Stripper().object(object)

const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1' }

function podSpec() {
  const container = {
    name: 'app',
    image: 'app:1',
    env: [
      { name: 'DB_PASSWORD', value: 'hunter2-secret' },
      { name: 'FROM', valueFrom: { secretKeyRef: { name: 'db', key: 'hunter2-secret' } } },
    ],
    livenessProbe: {
      httpGet: { path: '/', httpHeaders: [{ name: 'Authorization', value: 'hunter2-secret' }] },
    },
  }
  return { containers: [container], initContainers: [container], ephemeralContainers: [container] }
}

describe('strip', () => {
  it('T38 shows environment variables and probe headers by name only, wherever a Pod spec is', () => {
    const objects = [
      { metadata, spec: podSpec() },
      { metadata, spec: { template: { spec: podSpec() } } },
      { metadata, spec: { jobTemplate: { spec: { template: { spec: podSpec() } } } } },
    ]
    for (const object of objects) {
      const text = JSON.stringify(strip(object))
      assert.ok(!text.includes('hunter2-secret'))
      assert.ok(text.includes('DB_PASSWORD') && text.includes('Authorization'))
      assert.ok(text.includes('app:1'))
    }
  })

  it('T38 drops managed fields, the applied copy and long annotations', () => {
    const object = {
      metadata: {
        ...metadata,
        managedFields: [{ manager: 'kubectl' }],
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":"hunter2-secret"}',
          'helm.example/manifest': 'x'.repeat(2000),
          'deployment.kubernetes.io/revision': '3',
        },
      },
    }
    assert.deepEqual(strip(object), {
      metadata: {
        ...metadata,
        annotations: {
          'helm.example/manifest': '[withheld]',
          'deployment.kubernetes.io/revision': '3',
        },
      },
    })
  })

  it('T38 withholds what looks like a secret anywhere, and counts it', () => {
    const stripper = new Stripper()
    const object = {
      metadata: {
        ...metadata,
        annotations: {
          'example.org/db-password': 'hunter2-secret',
          note: 'password=hunter2-secret',
        },
      },
      spec: {
        containers: [
          {
            name: 'app',
            args: ['--db-password', 'hunter2-secret', '--token=hunter2-secret', '--verbose'],
            command: ['sh', '-c', 'curl\nhttps://app:hunter2-secret@db/'],
          },
        ],
        csi: { volumeAttributes: { secretKey: 'hunter2-secret', path: '/x' } },
      },
    }
    const text = JSON.stringify(stripper.object(object))
    assert.ok(!text.includes('hunter2-secret'), text)
    assert.ok(text.includes('--verbose') && text.includes('"path":"/x"'))
    assert.equal(stripper.withheld, 6)
  })

  it('T76 leaves out of a node what tells of other tenants', () => {
    const status = {
      images: [{ names: ['other/app'] }],
      volumesInUse: ['x'],
      capacity: { cpu: '2' },
    }
    assert.deepEqual(strip({ kind: 'Node', metadata, status }), {
      kind: 'Node',
      metadata,
      status: { capacity: { cpu: '2' } },
    })
  })

  it('T61 writes out characters that hide or move others, and keeps lines', () => {
    const command = ['a\nb', 'x\u001b[2Jy\u202ez']
    assert.deepEqual(strip({ metadata, command }).command, ['a\nb', 'x\\u{1b}[2Jy\\u{202e}z'])
  })

  it('never lets a value of an environment variable through, at any depth', () => {
    const secret = 'hunter2-secret'
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 6 },
        fc.constant({ env: [{ name: 'A', value: secret }, { value: secret }, secret] }),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('spec', 'template', 'containers', 'env2'), tie('node')),
      ),
    })).node
    fc.assert(
      fc.property(tree, (spec) => {
        assert.ok(!JSON.stringify(strip({ metadata, spec })).includes(secret))
      }),
    )
  })
})
