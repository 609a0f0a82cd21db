import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { triggerFor } from '../incident-world.ts'
import { subjectOf } from './subject.ts'

const of = (labels: Record<string, string>) =>
  subjectOf(triggerFor({ labels: { namespace: 'shop', ...labels } }))

describe('what an alert is about', () => {
  it('is the Service where nothing else is named', () => {
    const service = { namespace: 'shop', kind: 'Service', name: 'web' }
    assert.deepEqual(of({ service: 'web', job: 'web', instance: '10.0.0.1:80' }), service)
    assert.deepEqual(of({ service: 'kube-state-metrics', exported_service: 'web' }), service)
  })

  it('is never the Service that was scraped, where a workload or a node is named', () => {
    const scraped = { service: 'kube-state-metrics', job: 'kube-state-metrics' }
    for (const label of ['statefulset', 'daemonset', 'job_name', 'cronjob', 'node', 'replicaset']) {
      assert.equal(of({ ...scraped, [label]: 'db' }), undefined, label)
      assert.equal(of({ ...scraped, [`exported_${label}`]: 'db' }), undefined, label)
    }
    assert.equal(of({ ...scraped, workload: 'db', workload_type: 'statefulset' }), undefined)
    assert.equal(of({ ...scraped, deployment: 'web' })?.kind, 'Deployment')
    assert.equal(of({ ...scraped, pod: 'web-1' })?.kind, 'Pod')
  })
})
