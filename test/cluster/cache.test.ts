import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cacheFolder, cacheRoot, ensureFolder, folderText } from './cache.ts'

const linux = process.platform === 'linux' ? {} : { skip: 'locks are a Linux matter' }

let root = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'jackstay-cache-test-'))
})
after(() => rm(root, { recursive: true }))

test('the cache is where the user wants it', () => {
  assert.equal(cacheRoot({ XDG_CACHE_HOME: '/elsewhere' }), '/elsewhere/jackstay/cluster')
})

test('another recipe is another folder', () => {
  assert.notEqual(cacheFolder('etcd', '1', 'a'), cacheFolder('etcd', '1', 'b'))
})

test('of two who want the same folder one fills it and the other waits', linux, async () => {
  const folder = join(root, 'once')
  let fills = 0
  const fill = async (unfinished: string) => {
    fills += 1
    await writeFile(join(unfinished, 'file'), 'content')
  }
  await Promise.all([ensureFolder(folder, fill), ensureFolder(folder, fill)])
  assert.equal(fills, 1)
  assert.equal(await readFile(join(folder, 'file'), 'utf8'), 'content')
})

test('a folder that could not be filled is not there', linux, async () => {
  const folder = join(root, 'broken')
  const fill = async () => {
    throw new Error('no space')
  }
  await assert.rejects(ensureFolder(folder, fill), /no space/)
  assert.ok(!existsSync(folder))
})

test('what a killed build left is cleaned up by the next', linux, async () => {
  const folder = join(root, 'killed')
  await mkdir(`${folder}.unfinished-abc`)
  await ensureFolder(folder, async () => {})
  assert.ok(existsSync(folder))
  assert.ok(!existsSync(`${folder}.unfinished-abc`))
})

test('the text of a folder holds what lies below, by path', async () => {
  const folder = join(root, 'module')
  await mkdir(join(folder, 'b'), { recursive: true })
  for (const path of ['c', 'b/d', 'a']) await writeFile(join(folder, path), `text of ${path}`)
  assert.equal(await folderText(folder), 'a\ntext of a\nb/d\ntext of b/d\nc\ntext of c')
})
