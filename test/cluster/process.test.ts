import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  endProcess,
  identityOf,
  isAlive,
  outcomeOf,
  processesWithEnvironment,
  run,
} from './process.ts'

const linux = process.platform === 'linux' ? {} : { skip: 'reads /proc, which only Linux has' }

test('a process is known by number and start time together', linux, () => {
  const own = identityOf(process.pid)
  assert.ok(own !== undefined && isAlive(own))
  assert.ok(!isAlive({ pid: process.pid, startTime: '1' }))
})

test('a process that ignores being asked is ended all the same', linux, async () => {
  const script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
  const child = spawn('/bin/sh', ['-c', script])
  await once(child.stdout, 'data')
  const identity = identityOf(child.pid ?? 0)
  assert.ok(identity !== undefined)
  await endProcess(identity, 50)
  assert.ok(!isAlive(identity))
})

test('processes are found by what stands in their environment', linux, async () => {
  const env = { ...process.env, JACKSTAY_PROCESS_TEST: `${process.pid}` }
  const child = spawn('/bin/sh', ['-c', 'echo ready; read -r _'], { env })
  await once(child.stdout, 'data')
  const found = processesWithEnvironment(`JACKSTAY_PROCESS_TEST=${process.pid}`)
  assert.deepEqual(
    found.map(({ pid }) => pid),
    [child.pid],
  )
  child.stdin.end()
  await once(child, 'close')
  assert.deepEqual(processesWithEnvironment(`JACKSTAY_PROCESS_TEST=${process.pid}`), [])
})

test('a command that takes too long is ended, and that is what is said', async () => {
  const hanging = run(['/bin/sh', '-c', 'exec sleep 60'], { timeoutMs: 200 })
  await assert.rejects(hanging, /ended by SIGTERM; it may take 0.2 s/)
})

test('a command that fails says how', async () => {
  const argv = ['/bin/sh', '-c', 'echo broken >&2; exit 3']
  assert.equal((await outcomeOf(argv)).code, 3)
  await assert.rejects(run(argv), /exit code 3:\nbroken/)
})
