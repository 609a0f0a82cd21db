import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startLabCluster } from '../lab-cluster.ts'
import { isEarlier } from './data-folder.ts'
import { assertMemory } from './memory.ts'
import { NotHere } from './not-here.ts'

function onError(error: unknown): void {
  throw error
}

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

  it('is a key that does not read', async () => {
    for (const name of ['authority.crt', 'tokens.key']) {
      const directory = join(folder, name)
      const start = () => startLabCluster({ directory, keep: true, port: 0, nodes: [], onError })
      await (await start()).close()
      const text = await readFile(join(directory, name), 'utf8')
      await writeFile(join(directory, name), 'no key')
      const words = { code: 'invalid_config', message: /`.*` does not read: put it back/ }
      await assert.rejects(start(), words)
      // and the folder is not held
      await writeFile(join(directory, name), text)
      await (await start()).close()
    }
  })

  it('is too little memory', () => {
    assertMemory(2000)
    assert.throws(() => assertMemory(300), /there are 300 MB of memory free, and the lab needs 600/)
  })
})
