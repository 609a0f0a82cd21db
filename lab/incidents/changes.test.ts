import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { TestKubernetes } from '../kubernetes/kubernetes-builder.ts'
import { until } from './changes.ts'

const lab = new TestKubernetes()
before(() => lab.start())
after(() => lab.stop())

it('what does not show in time is too slow, and no bug', async () => {
  const late = new AbortController()
  const check = () => {
    late.abort()
    return 'all Pods are ready'
  }
  await assert.rejects(until(lab.admin, check, late.signal), {
    code: 'too_slow',
    message: /: all Pods are ready; try again$/,
  })
})
