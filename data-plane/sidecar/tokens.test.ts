import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { agent, newDirectory, podUid, tokenFor } from './sidecar-world.ts'
import { holderOf, tokenFiles } from './tokens.ts'

describe('tokens', () => {
  it('reads the file again at each use, because the kubelet replaces it', async (t) => {
    const path = await newDirectory(t)
    await mkdir(path)
    const [enrol, intent, tools] = ['enrol', 'intent', 'tools'].map((name) => join(path, name))
    assert.ok(enrol && intent && tools)
    const tokens = tokenFiles({ enrol, intent, tools })
    await assert.rejects(tokens.read('intent'), { code: 'not_ready' })
    await writeFile(intent, `${tokenFor('intent')}\n`)
    assert.equal(await tokens.read('intent'), tokenFor('intent'))
    await writeFile(intent, tokenFor('intent', 2))
    assert.equal(await tokens.read('intent'), tokenFor('intent', 2))
    assert.deepEqual(tokens.held(), [tokenFor('intent', 2)])
    await writeFile(intent, 'two words')
    await assert.rejects(tokens.read('intent'), { code: 'not_ready' })
  })

  it('knows whose token it is, and refuses one without a Pod', () => {
    assert.deepEqual(holderOf(tokenFor('enrol')), { agent, podUid })
    for (const token of ['', 'opaque', 'a.e30.c']) {
      assert.throws(() => holderOf(token), { code: 'not_ready' })
    }
  })
})
