import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Image, writeImageArchive } from './image.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackstay-image-test-'))
})
after(() => rm(folder, { recursive: true }))

const config = { Entrypoint: ['/run'], User: '1:1' }
const image = (name: string, text: string, shared: Image['layers'] = []): Image => ({
  name,
  config,
  layers: [...shared, [{ path: 'text', text }]],
})

test('the same content gives the same archive, whatever the time and the files times', async () => {
  const file = join(folder, 'file')
  await writeFile(file, 'content')
  const layers = [[{ path: 'bin/file', from: file }]]
  const images = [{ name: 'jackstay.local/a:1', config, layers }]
  const one = await writeImageArchive(join(folder, 'one.tar'), images)
  await utimes(file, 1, 1)
  const two = await writeImageArchive(join(folder, 'two.tar'), images)
  assert.deepEqual(one, two)
  assert.match(one.get('jackstay.local/a:1') ?? '', /^sha256:[0-9a-f]{64}$/)
  const archives = ['one.tar', 'two.tar'].map((name) => readFile(join(folder, name)))
  const [first, second] = await Promise.all(archives)
  assert.ok(first !== undefined && second !== undefined && first.equals(second))
})

test('other content gives another digest', async () => {
  const images = [image('jackstay.local/a:1', 'one'), image('jackstay.local/a:2', 'two')]
  const digests = await writeImageArchive(join(folder, 'three.tar'), images)
  assert.notEqual(digests.get('jackstay.local/a:1'), digests.get('jackstay.local/a:2'))
})

test('a layer that two images share is stored once', async () => {
  const shared = [[{ path: 'big', text: 'x'.repeat(1_000_000) }]]
  const images = [image('a:1', 'one', shared), image('a:2', 'two', shared)]
  const archive = join(folder, 'shared.tar')
  await writeImageArchive(archive, images)
  assert.ok((await readFile(archive)).length < 1_100_000)
})
