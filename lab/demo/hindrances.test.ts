import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isEarlier } from './data-folder.ts'
import { assertMemory } from './memory.ts'
import { NotHere } from './not-here.ts'

describe('what keeps the lab from starting', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackstay-hindrances-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('is a data folder that holds something else, or is none', async () => {
    const at = (name: string) => join(folder, name)
    assert.equal(isEarlier(at('new')), false)
    await mkdir(at('empty'))
    assert.equal(isEarlier(at('empty')), false)
    await mkdir(at('theirs'))
    await writeFile(at('theirs/thesis.txt'), 'years of work')
    assert.throws(() => isEarlier(at('theirs')), /holds something else \(thesis\.txt\)/)
    assert.throws(() => isEarlier(at('theirs/thesis.txt')), NotHere)
    await mkdir(at('theirs/kubernetes'))
    await writeFile(at('theirs/kubernetes/cluster.db'), '')
    assert.equal(isEarlier(at('theirs')), true)
  })

  it('is too little memory', () => {
    assertMemory(2000)
    assert.throws(() => assertMemory(300), /there are 300 MB of memory free, and the lab needs 700/)
  })
})
