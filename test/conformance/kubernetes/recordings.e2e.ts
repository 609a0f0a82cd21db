import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noCluster, world } from '@jackstay/e2e/world'
import { cases } from './cases.ts'
import { play } from './exchange.ts'
import { recordingOf } from './recordings.ts'

/** What is recorded is still what a real API server answers. */
describe('recordings of a real API server', { skip: await noCluster() }, () => {
  for (const one of cases) {
    it(`hold: ${one.name}`, async () => {
      const { admin } = await world()
      assert.deepEqual(await play(one, admin), recordingOf(one.name))
    })
  }
})
