import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { goProgram, unbuildable } from '@jackstay/cluster/go-program'
import { outcomeOf } from '@jackstay/cluster/process'
import { unlessCi } from '@jackstay/cluster/unless-ci'
import { forgeriesOf, type RealLog, realLog } from './logs.ts'
import { fsck } from './recipes.ts'

/** Its words; the exit code of v1.0.4 is 0 for a corrupt log too. */
async function said(log: RealLog, folder: string): Promise<string> {
  const program = await goProgram(fsck, () => {})
  const key = join(log.root, 'vkey')
  await writeFile(key, log.key.vkey)
  // Where its only worker has found something it waits for ever: more of them than there are tiles.
  const workers = '--N=16'
  const args = [workers, `--storage_url=file://${folder}/`, `--public_key=${key}`, '--ui=false']
  const { stderr } = await outcomeOf([program, ...args], { signal: AbortSignal.timeout(60_000) })
  return stderr
}

describe("Tessera's fsck", unlessCi(await unbuildable([fsck])), () => {
  it('takes our logs whole', async () => {
    await using log = await realLog()
    for (const more of [1, 255, 1, 343]) {
      await log.grow(more)
      const words = await said(log, await log.export(`log-${log.entries.length}`))
      const [, , root = ''] = (await log.store.checkpoint()).split('\n')
      assert.ok(words.includes(`Successfully fsck'd log with size ${log.entries.length}`), words)
      assert.ok(words.includes(root))
      assert.doesNotMatch(words, /fsck failed/)
    }
  })

  it('T69: refuses what is damaged; what the owner signed anew it cannot tell alone', async () => {
    await using log = await realLog()
    await log.grow(300)
    const good = await log.export('good')
    for (const { name, folder, byOwner } of await forgeriesOf(log, good)) {
      const words = await said(log, folder)
      assert.equal(words.includes('Successfully'), byOwner, `${name}: ${words}`)
      assert.equal(words.includes('fsck failed'), !byOwner, `${name}: ${words}`)
    }
  })
})
