import assert from 'node:assert/strict'
import { it } from 'node:test'
import { actionRoleName } from './executor.ts'

it('names of actions become names of roles', () => {
  assert.equal(actionRoleName('workload.scale'), 'jackstay-action-workload-scale')
  assert.equal(actionRoleName('workload.rollBack'), 'jackstay-action-workload-roll-back')
})
