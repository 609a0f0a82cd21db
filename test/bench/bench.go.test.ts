import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { unbuildable } from '@jackstay/cluster/go-program'
import { unlessCi } from '@jackstay/cluster/unless-ci'
import { celGo, fsck, opa, tessera } from './go-recipes.ts'
import { printTables, type TableName } from './tables.ts'

const quick = { quick: true, rounds: 1, directory: tmpdir() }

async function printed(name: TableName): Promise<string> {
  const texts: string[] = []
  await printTables(
    [name],
    quick,
    (text) => texts.push(text),
    () => {},
  )
  return texts.join('\n')
}

test(
  'cel-go, OPA and Jackstay agree on every intent',
  unlessCi(await unbuildable([celGo, opa])),
  async () => {
    const text = await printed('judge')
    for (const name of ['jackstay', 'cel-go', 'OPA'])
      assert.match(text, new RegExp(`^  ${name} .*\\d`, 'm'))
  },
)

test(
  "Tessera's fsck finds the root of our log, and a changed byte in it",
  unlessCi(await unbuildable([tessera, fsck])),
  async () => {
    const text = await printed('ledger')
    assert.match(text, /^ {2}jackstay, SQLite .*\d/m)
    assert.match(text, /^ {2}Tessera .*its defaults .*\d/m)
    assert.match(text, /^ {2}jackstay ledger verify .*\d/m)
    assert.match(text, /^ {2}Tessera .*its fsck .*\d/m)
  },
)
