import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { kinds } from '@jackstay/contract/kinds/all'
import fc from 'fast-check'
import { type Answer, attempt } from './attempt.ts'
import { type Governed, governed } from './governed.ts'
import { specOf, specsOf, withoutNulls } from './random-specs.ts'
import { subjectOf } from './subjects.ts'
import { noCluster, type World, world } from './world.ts'

/** Of random specs per kind. */
const runs = 60

/*
 * Every refinement is written twice, for zod and in CEL for the API server: random specs, mostly valid and
 * then often bent in one place, must mean the same to both.
 */
describe('random specs', { skip: await noCluster() }, () => {
  let w: World
  let g: Governed
  before(async () => {
    w = await world()
    g = await governed(w)
  })

  for (const kind of kinds) {
    it(`${kind.kind}: zod and the API server agree`, async (t) => {
      const { client, path, of } = subjectOf(w, g, kind.kind)
      let valid = 0
      const sent = async (spec: unknown): Promise<Answer> => {
        const { metadata, ...rest } = of()
        return await attempt(client, 'POST', path, { ...rest, metadata, spec }, { dryRun: true })
      }
      const agrees = fc.asyncProperty(specsOf(kind.kind), async (spec) => {
        const answer = await sent(spec)
        assert.ok(answer.status < 500, answer.message)
        // asked only after the schema was satisfied
        const elsewhere = /'jackstay-approvals-identified'/.test(answer.message)
        const accepted = answer.status === 201 || elsewhere
        // what is stored counts: the server takes `null` for a known field as its absence
        const meant = accepted ? (specOf(answer.body) ?? withoutNulls(spec)) : spec
        if (accepted) assert.deepEqual(meant, withoutNulls(spec), 'nothing is pruned but nulls')
        const zod = kind.spec.safeParse(meant).success
        assert.equal(accepted, zod, `zod ${zod}, API server ${answer.status} ${answer.message}`)
        if (zod) valid++
      })
      await fc.assert(agrees, { numRuns: runs, endOnFailure: false })
      t.diagnostic(`${valid} of ${runs} valid`)
      assert.ok(valid > 3 && valid < runs, `${valid} of ${runs} valid`)
    })
  }
})
