import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { JackstayError } from '@jackstay/contract/errors'
import { staticToken, tokenFile } from './static-token.ts'

const first = 'first-token-0123456789'
const second = 'second-token-0123456789'

function code(expected: string) {
  return (error: unknown) => error instanceof JackstayError && error.code === expected
}

/** A file in memory whose reads are counted. */
function memory(text: string | undefined) {
  let version = 0
  const file = {
    text,
    reads: 0,
    write(next: string | undefined) {
      file.text = next
      version++
    },
    async version() {
      if (file.text === undefined) throw new Error('ENOENT')
      return `v${version}`
    },
    async read() {
      file.reads++
      if (file.text === undefined) throw new Error('ENOENT')
      return file.text
    },
  }
  return file
}

test('T13 who shows a token that is held is known again, without a look at the file', async () => {
  const file = memory(`${first}\n`)
  const token = await staticToken(file)
  assert.deepEqual(
    [token.recall(first), token.recall(second), token.recall('')],
    [true, false, false],
  )
  assert.equal(file.reads, 1)
  file.write(`${second}\n`)
  await token.verify(second)
  assert.deepEqual([token.recall(first), token.recall(second)], [false, true])
})

test('T77 only the very token passes', async () => {
  const token = await staticToken(memory(`${first}\n`))
  await token.verify(first)
  for (const wrong of [
    '',
    'x',
    `${first}x`,
    first.slice(0, -1),
    first.toUpperCase(),
    `${first}\n`,
  ]) {
    await assert.rejects(token.verify(wrong), code('unauthenticated'), wrong)
  }
})

test('two tokens pass while one replaces the other, then only the new one', async () => {
  const file = memory(first)
  const token = await staticToken(file)
  file.write(`${first}\n${second}\n`)
  await token.verify(first)
  await token.verify(second)
  assert.deepEqual(token.values(), [first, second])
  file.write(second)
  await assert.rejects(token.verify(first), code('unauthenticated'))
  await token.verify(second)
})

test('an unchanged file is not read again', async () => {
  const file = memory(first)
  const token = await staticToken(file)
  for (let i = 0; i < 5; i++) await token.verify(first)
  assert.equal(file.reads, 1)
})

test('T77 while the file is missing, empty or weak nobody passes, and afterwards they do', async () => {
  const file = memory(first)
  const token = await staticToken(file)
  for (const bad of [undefined, '', '\n \n', 'short', `${first}\nshort`]) {
    file.write(bad)
    for (const given of [first, '', 'short']) {
      await assert.rejects(token.verify(given), code('not_ready'), `${bad} ${given}`)
    }
    assert.deepEqual(token.values(), [])
  }
  file.write(first)
  await token.verify(first)
})

test('a program with an unusable file does not start', async () => {
  for (const bad of [undefined, '', 'short', `${first}\n`.repeat(9)]) {
    await assert.rejects(staticToken(memory(bad)), code('invalid_config'))
  }
})

test('a file swapped behind a symlink, as Kubernetes does, is noticed', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'jackstay-'))
  t.after(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, 'a'), 'a'.repeat(20))
  await writeFile(join(dir, 'b'), 'b'.repeat(20))
  await symlink(join(dir, 'a'), join(dir, 'token'))
  const token = await staticToken(tokenFile(join(dir, 'token')))
  await token.verify('a'.repeat(20))
  await symlink(join(dir, 'b'), join(dir, 'next'))
  await rename(join(dir, 'next'), join(dir, 'token'))
  await token.verify('b'.repeat(20))
  await assert.rejects(token.verify('a'.repeat(20)), code('unauthenticated'))
})
