import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { freshBundles } from './fresh.ts'

describe('bundles for this checkout', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackstay-fresh-'))
  })
  after(() => rm(folder, { recursive: true }))

  const made = async () => {
    const names: string[] = []
    const entry = join(folder, 'main.ts')
    await freshBundles(join(folder, 'out'), [{ name: 'main', entry }], (name) => names.push(name))
    return names
  }

  it('are made again where a file of theirs changed, and only then', async () => {
    const part = join(folder, 'part.ts')
    await writeFile(part, 'export const where: string = import.meta.url')
    await writeFile(
      join(folder, 'main.ts'),
      "import { where } from './part.ts'\nconsole.log(where)",
    )
    assert.deepEqual(await made(), ['main'])
    assert.match(await readFile(join(folder, 'out/main.mjs'), 'utf8'), /part\.ts/)
    assert.deepEqual(await made(), [])
    // an older time than the bundle's, as of a file that was moved there
    await writeFile(part, 'export const where: string = "elsewhere"')
    await utimes(part, 1, 1)
    assert.deepEqual(await made(), ['main'])
    assert.match(await readFile(join(folder, 'out/main.mjs'), 'utf8'), /elsewhere/)
    await rm(join(folder, 'out/main.mjs'))
    assert.deepEqual(await made(), ['main'])
  })
})
