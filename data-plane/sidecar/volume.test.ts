import assert from 'node:assert/strict'
import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadKey } from './key.ts'
import { openSequence } from './sequence.ts'
import { newDirectory } from './sidecar-world.ts'
import { openVolume } from './volume.ts'

describe('volume', () => {
  it('creates a file once, whole and for the owner alone', async (t) => {
    const path = await newDirectory(t)
    const volume = await openVolume(path)
    const made = await Promise.all([1, 2, 3, 4].map((n) => volume.create('one', String(n))))
    assert.equal(made.filter(Boolean).length, 1)
    assert.equal((await stat(join(path, 'one'))).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(path), ['one'], 'no temporary file is left')
  })

  it('refuses a file that others can read', async (t) => {
    const path = await newDirectory(t)
    const volume = await openVolume(path)
    await volume.create('one', 'x')
    await chmod(join(path, 'one'), 0o644)
    await assert.rejects(volume.read('one'), { code: 'invalid_config' })
  })

  it('says what to do when the directory cannot be used', async (t) => {
    const path = await newDirectory(t)
    await openVolume(path)
    await writeFile(join(path, 'file'), '')
    const wrong = [join(path, 'file', 'deeper'), join(path, 'not', 'there'), '/proc/self/x']
    for (const one of wrong) {
      await assert.rejects(openVolume(one), /mount a writable memory volume/)
    }
    const volume = await openVolume(join(path, 'file'))
    await assert.rejects(volume.create('key', ''), { code: 'invalid_config' })
  })
})

describe('key', () => {
  it('is made once and is the same after a restart', async (t) => {
    const path = await newDirectory(t)
    const first = await loadKey(await openVolume(path))
    const again = await loadKey(await openVolume(path))
    assert.equal(again.kid, first.kid)
    assert.equal(first.privateKey.extractable, false)
  })

  it('is one key when two processes start at once', async (t) => {
    const volume = await openVolume(await newDirectory(t))
    const keys = await Promise.all(Array.from({ length: 6 }, () => loadKey(volume)))
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, 1)
  })

  it('is never replaced when damaged', async (t) => {
    const volume = await openVolume(await newDirectory(t))
    const key = await loadKey(volume)
    const whole = (await volume.read('key.jwk')) ?? ''
    const foreign = { ...JSON.parse(whole), x: `${'A'.repeat(42)}A` }
    for (const text of ['', '{}', whole.slice(0, -9), JSON.stringify(foreign)]) {
      await volume.replace('key.jwk', text)
      await assert.rejects(loadKey(volume), { code: 'invalid_config' })
    }
    await volume.replace('key.jwk', whole)
    assert.equal((await loadKey(volume)).kid, key.kid)
  })
})

describe('sequence', () => {
  it('never gives a number twice, also across restarts and at the same time', async (t) => {
    const path = await newDirectory(t)
    const first = await openSequence(await openVolume(path))
    const given = await Promise.all(Array.from({ length: 20 }, () => first.next()))
    const second = await openSequence(await openVolume(path))
    given.push(await second.next())
    assert.deepEqual(
      given,
      Array.from({ length: 21 }, (_, n) => n + 1),
    )
  })

  it('refuses a damaged counter instead of starting over', async (t) => {
    const volume = await openVolume(await newDirectory(t))
    await volume.replace('seq', 'many')
    await assert.rejects(openSequence(volume), { code: 'invalid_config' })
  })
})
