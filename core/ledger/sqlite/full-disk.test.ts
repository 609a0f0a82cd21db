import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { openStore } from '../store/store.ts'
import { anAppend, fill, origin } from '../store/store-builder.ts'

const run = promisify(execFile)

/** A disk of its own, or why there is none. */
async function smallDisk(megabytes: number): Promise<{ path: string } | { missing: string }> {
  const path = await mkdtemp(join(tmpdir(), 'jackstay-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'jackstay', path])
    return { path }
  } catch {
    await rm(path, { recursive: true })
    return { missing: 'mounting a small disk needs root' }
  }
}

it('T70 a full disk: new work is refused, undo, outcome and suspension are written', async (t) => {
  const disk = await smallDisk(40)
  if ('missing' in disk) return t.skip(disk.missing)
  t.after(async () => {
    await run('umount', ['--lazy', disk.path])
    await rm(disk.path, { recursive: true })
  })
  const key = ledgerKeyFrom(generateSkey(origin))
  const options = { directory: join(disk.path, 'data'), origin, key, clock: Date }
  const store = await openStore(options)
  t.after(() => store.close())
  await fill(store, 10)
  const others = join(disk.path, 'others')
  // as much as there is: the last piece fails
  await assert.rejects(writeFile(others, Buffer.alloc(64 * 1024 * 1024)), { code: 'ENOSPC' })

  const refused = async () => {
    while (true) await store.appendLeaves([{ kind: 'decision', data: 'x'.repeat(15_000) }])
  }
  await assert.rejects(refused(), { code: 'not_ready', status: 503, retryable: true })
  assert.match((await store.hindrance()) ?? '', /disk of the ledger is full/)
  const size = await store.size()
  await store.appendLeaves([{ kind: 'suspension', data: 'stop' }])
  const phase = { phase: 'undo', leaves: [{ kind: 'outcome', data: 'undone' }] } as const
  for (let i = 0; i < 100; i++) await store.append(anAppend({ ...phase, intentId: `undone-${i}` }))
  assert.equal(await store.size(), size + 101)
  await assert.rejects(store.append(anAppend({ intentId: 'new' })), /disk of the ledger is full/)
  assert.ok(!existsSync(join(options.directory, 'space.reserve')))

  await store.close()
  const again = await openStore(options)
  await again.appendLeaves([{ kind: 'suspension', data: 'stop again' }])
  await assert.rejects(again.append(anAppend({ intentId: 'new' })), /disk of the ledger is full/)
  await again.close()
  await rm(others)
  const roomy = await openStore(options)
  assert.equal(await roomy.hindrance(), undefined)
  await roomy.append(anAppend({ intentId: 'new' }))
  assert.equal(await roomy.size(), size + 102)
  await roomy.close()
})
