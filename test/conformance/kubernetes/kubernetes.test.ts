import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { KubeClient } from '@jackstay/kube/client'
import { TestApi } from '@jackstay/lab/kubernetes/api/api-builder'
import { cases } from './cases.ts'
import { differences } from './differences.ts'
import { play } from './exchange.ts'
import { recordingOf } from './recordings.ts'

/** The lab's API server answers what a real one was recorded to answer. */
describe('the API of the lab', () => {
  const api = new TestApi()
  let client: KubeClient
  before(async () => {
    client = await api.start()
  })
  after(() => api.stop())

  for (const one of cases) {
    it(`is that of a real server: ${one.name}`, async () => {
      const real = recordingOf(one.name)
      assert.ok(real, `nothing is recorded: run \`node test/conformance/kubernetes/record.ts\``)
      const lab = await play(one, client)
      for (const [i, answer] of lab.entries()) {
        const key = `${one.name} ${i}: ${answer.request}`
        if (differences[key] === undefined) assert.deepEqual(answer, real[i], key)
        else assert.notDeepEqual(answer, real[i], `${key} does not differ any more: strike it off`)
      }
      assert.equal(lab.length, real.length)
    })
  }

  it('lists no difference that no case has', () => {
    const names = cases.map(({ name }) => name)
    const unknown = Object.keys(differences).filter(
      (key) => !names.includes(key.split(' ')[0] ?? ''),
    )
    assert.deepEqual(unknown, [])
  })
})
