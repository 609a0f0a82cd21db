import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { retriesStem } from '@jackstay/contract/executor'
import type { Json } from '@jackstay/contract/json'
import { type FactReader, isRefusal, type Observed } from '../action.ts'
import { unfit } from './made-field.ts'
import { madeJob } from './made-job.ts'
import { jobRetry } from './retry.ts'

const target = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: 'report' }
const request = { intent: '0190b6a0-0000-7000-8000-000000000000', signedAt: 1_767_268_800 }

interface Given {
  readonly name?: string
  readonly spec?: { readonly [key: string]: Json }
  readonly pod?: { readonly [key: string]: Json }
  readonly template?: { readonly [key: string]: Json }
}

/** A failed Job as the API server has it, defaults and all. */
function jobOf({ name = 'report', spec = {}, pod = {}, template = {} }: Given): Observed {
  const labels = { app: 'report', 'controller-uid': 'u', 'batch.kubernetes.io/job-name': name }
  return {
    metadata: { name, namespace: 'shop', uid: '22222222-2222-4222-8222-222222222222' },
    spec: {
      ...{ parallelism: 1, completions: 1, backoffLimit: 0, suspend: false, manualSelector: false },
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
      ...spec,
      template: {
        metadata: { creationTimestamp: null, labels, ...template },
        spec: {
          ...{ restartPolicy: 'Never', dnsPolicy: 'ClusterFirst', securityContext: {} },
          containers: [{ name: 'report', image: 'report:1', resources: {} }],
          ...pod,
        },
      },
    },
    status: { conditions: [{ type: 'Failed', status: 'True', message: 'too often' }] },
  }
}

async function planFor(given: Given) {
  const reader: FactReader = {
    get: async () => jobOf(given),
    list: async () => [],
    listEverywhere: async () => [],
  }
  const { name = 'report' } = given
  return jobRetry.prepare({ ...target, name }, {}, reader, request)
}

async function madeFor(given: Given) {
  const plan = await planFor(given)
  assert.ok(!isRefusal(plan), JSON.stringify(plan))
  const [write] = plan.writes
  assert.ok(write?.verb === 'create')
  return { plan, write, body: write.body }
}

describe('retrying a Job', () => {
  it('makes one that tells whose it is and what it repeats', async () => {
    const { write, body } = await madeFor({})
    assert.equal(write.object.name, 'report-retry-t86pc0')
    assert.deepEqual(body.metadata, {
      namespace: 'shop',
      name: 'report-retry-t86pc0',
      labels: {
        'jackstay.dev/governed': 'true',
        'jackstay.dev/intent': request.intent,
        'jackstay.dev/retries': 'report',
      },
    })
    assert.deepEqual(write.inverse, { body: { spec: { suspend: true } } })
  })

  it('and is harmless: no token, no traffic, no labels of the first one’s Pods', async () => {
    const { body } = await madeFor({ pod: { automountServiceAccountToken: true } })
    assert.deepEqual(body.spec, {
      ...{ parallelism: 1, completions: 1, backoffLimit: 0 },
      template: {
        metadata: { labels: { app: 'report' } },
        spec: {
          ...{ restartPolicy: 'Never', dnsPolicy: 'ClusterFirst', securityContext: {} },
          containers: [{ name: 'report', image: 'report:1', resources: {} }],
          automountServiceAccountToken: false,
          readinessGates: [{ conditionType: 'jackstay.dev/serves-nothing' }],
        },
      },
    })
  })

  it('names a retry of a retry after the first, and never too long', async () => {
    const { write } = await madeFor({ name: 'report-retry-abc' })
    assert.equal(write.object.name, 'report-retry-t86pc0')
    const long = `cron.${'x'.repeat(58)}`
    const { write: longest } = await madeFor({ name: long })
    assert.ok(longest.object.name.startsWith(`${retriesStem(long)}-retry-`))
    assert.ok(longest.object.name.length <= 63)
  })

  it('says how many Pods it takes', async () => {
    const pods = async (spec: Given['spec'] = {}) => (await madeFor({ spec })).plan.blastRadius.pods
    assert.equal(await pods(), 1)
    assert.equal(await pods({ completions: 12, parallelism: 3 }), 12)
    const { plan } = await madeFor({ spec: { completions: null, parallelism: 3 } })
    assert.equal(plan.blastRadius.pods, 3)
  })

  it('keeps the made Job until it could be verified', async () => {
    const ttl = async (ttlSecondsAfterFinished: number) => {
      const { body } = await madeFor({ spec: { ttlSecondsAfterFinished } })
      return JSON.stringify(body).match(/"ttlSecondsAfterFinished":(\d+)/)?.[1]
    }
    assert.equal(await ttl(0), '3600')
    assert.equal(await ttl(7200), '7200')
  })

  it('refuses what no made Job may have, and names it', async () => {
    const claim = { name: 'data', persistentVolumeClaim: { claimName: 'data' } }
    const init = { name: 'i', image: 'i:1' }
    const sensitive = { name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }
    const container = { name: 'report', image: 'report:1', env: [sensitive] }
    const cases: [Given, string][] = [
      [{ pod: { volumes: [claim] } }, 'spec.template.spec.volumes[data].persistentVolumeClaim'],
      [{ pod: { initContainers: [init] } }, 'spec.template.spec.initContainers'],
      [{ pod: { nodeName: 'n' } }, 'spec.template.spec.nodeName'],
      [{ pod: { serviceAccountName: 'admin' } }, 'spec.template.spec.serviceAccountName'],
      [
        { pod: { containers: [container] } },
        'spec.template.spec.containers[report].env[E].valueFrom.secretKeyRef',
      ],
      [{ template: { annotations: { 'example.org/x': 'y' } } }, 'annotations.example.org/x'],
      [{ spec: { parallelism: 17 } }, 'spec.parallelism'],
      [{ pod: { tolerations: [{ operator: 'Exists' }] } }, 'spec.template.spec.tolerations[0].key'],
    ]
    for (const [given, field] of cases) {
      const refused = await planFor(given)
      assert.ok(isRefusal(refused), field)
      assert.equal(refused.refused, 'unsuitable_target')
      assert.ok(refused.message.includes(`${field}\``), refused.message)
    }
  })

  it('demands what has to be there, and reads nothing from prototypes (T11)', () => {
    const { spec } = jobOf({})
    assert.equal(
      unfit(spec, madeJob.spec, 'spec'),
      'spec.template.spec.automountServiceAccountToken',
    )
    const strange = JSON.parse('{"__proto__": {}}') as Json
    assert.equal(unfit(strange, madeJob.spec, 'spec'), 'spec.__proto__')
    assert.equal(unfit({ toString: 1 }, madeJob.spec, 'spec'), 'spec.toString')
  })
})
