import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it } from 'node:test'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { verifyLedger } from '../log/verify.ts'
import { openStore } from '../store/store.ts'
import { origin } from '../store/store-builder.ts'
import { storeReader } from './reader.ts'

/** Runs the writer and kills it once it has acknowledged `count` appends; what it said it wrote. */
async function writeUntilKilled(args: readonly string[], count: number): Promise<string[]> {
  const program = join(import.meta.dirname, 'crash', 'killed-writer.ts')
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const acknowledged: string[] = []
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(line)
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  const [, signal] = await exit
  assert.equal(signal, 'SIGKILL')
  return acknowledged
}

it('a kill at any moment loses no acknowledged append and leaves a log that verifies', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'jackstay-crash-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const skey = generateSkey(origin)
  const key = ledgerKeyFrom(skey)
  let knownCheckpoint: string | undefined
  for (const [run, count] of [3, 57, 400].entries()) {
    const acknowledged = await writeUntilKilled([directory, skey, `run${run}`], count)
    const store = await openStore({ directory, origin, key, clock: Date })
    for (const line of acknowledged.filter((text) => text.endsWith(' .'))) {
      const [intent, seq, index] = line.split(' ')
      assert.equal((await store.leaf(Number(index)))?.data, `${intent} ${seq}`)
    }
    for (const id of await store.open()) {
      const events = await store.events(id)
      assert.deepEqual(
        events.map(({ seq }) => seq),
        events.map((_, i) => i + 1),
      )
      assert.equal((await store.intent(id))?.seq, events.length)
      assert.ok(
        events.every(({ leafIndexes }) => leafIndexes.length === 1),
        'event and leaf are one',
      )
    }
    const read = storeReader(directory)
    const verdict = await verifyLedger({
      read,
      vkey: key.vkey,
      ...(knownCheckpoint === undefined ? {} : { knownCheckpoint }),
    })
    read.close()
    assert.ok(verdict.ok)
    knownCheckpoint = await store.checkpoint()
    await store.close()
  }
})
