import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openLedger } from './place.ts'

const key = ledgerKeyFrom(generateSkey('jackstay.dev/test'))
const ledgerSchema = 'jackstay'
const refused = { code: 'invalid_config' }

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'jackstay-place-'))
  return {
    path,
    async file(name: string, text: string, mode = 0o600) {
      await writeFile(join(path, name), text)
      await chmod(join(path, name), mode)
      return join(path, name)
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

describe('the place of a ledger', () => {
  it('is SQLite in the data directory unless a file names a database', async () => {
    await using data = await folder()
    const store = await openLedger({ dataDir: data.path, ledgerSchema }, key, Date)
    assert.equal(store.origin, 'jackstay.dev/test')
    assert.equal(await store.size(), 0)
    await store.close()
  })

  it('is the database of the file, whose text is never shown', async () => {
    await using data = await folder()
    for (const text of [
      'postgresql://jackstay:hunter2@db.example/jackstay',
      'jackstay:hunter2@db.example',
    ]) {
      const ledgerUrlFile = await data.file('url', `${text}\n`)
      const settings = { dataDir: data.path, ledgerUrlFile, ledgerSchema }
      const error = await openLedger(settings, key, Date).catch((reason: unknown) => reason)
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'invalid_config')
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('hunter2'))
    }
  })

  it('refuses a file that is missing, or that others may read', async () => {
    await using data = await folder()
    const settings = { dataDir: data.path, ledgerSchema }
    const missing = { ...settings, ledgerUrlFile: join(data.path, 'none') }
    await assert.rejects(openLedger(missing, key, Date), refused)
    const ledgerUrlFile = await data.file('open', 'postgresql://a@localhost/b', 0o644)
    await assert.rejects(openLedger({ ...settings, ledgerUrlFile }, key, Date), {
      ...refused,
      message: /open to everybody/,
    })
  })
})
