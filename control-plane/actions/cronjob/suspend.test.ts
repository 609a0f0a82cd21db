import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldChanges } from '@jackstay/contract/field-changes'
import type { Observed } from '../action.ts'
import { planned, refusal, uid } from '../workload/workload-builder.ts'
import { cronjobResume, cronjobSuspend } from './suspend.ts'

const cronJob = (suspend?: boolean): Observed => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'web', namespace: 'shop', uid },
  spec: { schedule: '0 3 * * *', ...(suspend !== undefined && { suspend }) },
})

describe('cronjob.suspend and resume', () => {
  it('set one field and are verified once it stands', async () => {
    const plan = await planned(cronjobSuspend, {}, cronJob())
    assert.deepEqual(plan.writes.flatMap(fieldChanges), [
      { path: '/spec/suspend', before: false, after: true },
    ])
    assert.equal(cronjobSuspend.progress(plan, cronJob(true)).state, 'holds')
    assert.equal(cronjobSuspend.progress(plan, cronJob(false)).state, 'broken')
    const back = await planned(cronjobResume, {}, cronJob(true))
    assert.equal(back.blastRadius.pods, 1, 'a missed run may start at once')
  })

  it('refuse what is so already', async () => {
    assert.equal(await refusal(cronjobSuspend, {}, cronJob(true)), 'no_change')
    assert.equal(await refusal(cronjobResume, {}, cronJob(false)), 'no_change')
  })
})
